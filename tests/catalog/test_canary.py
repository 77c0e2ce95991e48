"""A planted card key is found nowhere: not in a dump, not in a log, not in what is exported."""

from __future__ import annotations

import json
import logging
import subprocess

import pytest
from django.db import connection
from django.test import Client

from liuke.catalog import actions
from liuke.catalog.errors import KeysRefused
from liuke.catalog.models import CardKey
from liuke.events.models import Event
from liuke.people.actions import set_totp_required
from liuke.people.models import Login, StaffAct
from liuke.project.binaries import clean_environment, find_clients
from tests.catalog import make
from tests.people import make as people

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "CANARY-7F3K-29QX-88WV"


def dump() -> str:
    """The whole database as SQL, as pg_dump writes it."""
    settings = connection.settings_dict
    programs = find_clients(connection.pg_version // 10_000)
    told = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"]}
    given = {key: value for key, value in told.items() if value}
    done = subprocess.run(
        [programs["pg_dump"], "--inserts", settings["NAME"]],
        env={**clean_environment(), **given, "PGPASSWORD": settings["PASSWORD"] or ""},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def test_a_planted_key_is_in_no_dump_no_log_and_no_export(
    caplog: pytest.LogCaptureFixture, operator: Login, client: Client
) -> None:
    caplog.set_level(logging.DEBUG)
    set_totp_required(is_required=False, by=None)
    buyer = people.member("13800138000", source="site")
    variant = make.variant()
    actions.import_keys(variant=variant, content=CANARY, by=operator, name="七月.txt")
    with pytest.raises(KeysRefused):
        actions.import_keys(variant=variant, content=f"{CANARY}\n{CANARY}", by=operator)
    make.hold("o1", (variant, 1))
    (taken,) = actions.take_stock(token="o1")
    shown = actions.reveal_key(key_id=taken.key_id, actor=buyer, role="buyer")
    logging.getLogger("liuke").error("shown %s to %s", shown, buyer)
    assert shown.reveal() == CANARY
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    exports = [
        client.get("/acts/?format=csv").getvalue().decode(),
        client.post(f"/members/{buyer.reference}/export/").content.decode(),
        json.dumps(list(Event.objects.values_list("payload", flat=True))),
        json.dumps(list(StaffAct.objects.values_list("detail", flat=True))),
    ]
    dumped = dump()
    sealed = bytes(CardKey.objects.get().sealed).hex()
    assert sealed in dumped  # it is a dump of this database
    for place in (dumped, caplog.text, *exports):
        for form in (CANARY, CANARY.lower(), CANARY.replace("-", ""), CANARY.encode().hex()):
            assert form not in place
