"""What every test may ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.utils import translation

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.people.models import Login
from tests import databases
from tests.analytics import make
from tests.events.make import allow_emptying
from tests.ledger.make import allow_emptying as allow_emptying_the_book

ROOT = Path(__file__).resolve().parents[1]
NOON = dt.datetime(2026, 3, 15, 4, 0, tzinfo=dt.UTC)  # noon in Shanghai
PASSWORD = "correct horse battery"
# The product turns a password over a million times, a second of a processor; a thousand tests open a login.
PBKDF2PasswordHasher.iterations = 1


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Keep a pristine copy as a template, then allow the log to be emptied between tests that commit.

    UPDATE and DELETE of the log stay refused.
    """
    if not connection.settings_dict["NAME"].startswith("test_"):
        yield  # no test of this run is marked for the database, so none was made
        return
    with django_db_blocker.unblock():
        pristine = databases.pristine(connection)
        allow_emptying()
        allow_emptying_the_book()
        yield
        databases.drop(pristine)


@pytest.fixture
def spare(django_db_setup: None) -> Iterator[str]:
    """A database of the test's own, as migrated and committed to by nobody: its URL, for child processes."""
    with databases.spare() as url:
        yield url


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A page that was asked for in another language leaves it switched on in its thread."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def shipped_policy(request: pytest.FixtureRequest) -> None:
    """Tests that commit leave empty tables behind them: put back the thresholds and groups a site starts with."""
    marker = request.node.get_closest_marker("django_db")
    wanted = set(request.fixturenames)
    commits = {"transactional_db", "live_server"} & wanted or (
        marker and marker.kwargs.get("transaction")
    )
    if marker or commits or "db" in wanted:
        request.getfixturevalue("transactional_db" if commits else "db")
        catalog = import_module("liuke.catalog.migrations.0003_shipped_scenes")
        analytics = import_module("liuke.analytics.migrations.0002_shipped_policy")
        engagement = import_module("liuke.engagement.migrations.0002_shipped_policy")
        people = import_module("liuke.people.migrations.0002_staff_and_consent")
        membership = import_module("liuke.membership.migrations.0003_shipped_ladders")
        orders = import_module("liuke.orders.migrations.0003_shipped_policy")
        delivery = import_module("liuke.delivery.migrations.0003_shipped_policy")
        shipped = {
            "catalog_scene": catalog.SCENES,
            "catalog_key_policy": catalog.KEY_POLICY,
            "analytics_retention_policy": analytics.POLICY,
            "analytics_rfm_group": analytics.GROUPS,
            "engagement_outreach_policy": engagement.POLICY,
            "engagement_switch": engagement.SWITCH,
            "people_staff_policy": people.STAFF_POLICY,
            "membership_ladder": membership.LADDERS,
            "membership_level": membership.LEVELS,
            "orders_policy": orders.POLICY,
            "delivery_policy": delivery.POLICY,
        }
        with connection.cursor() as cursor:
            has_rows = (f"EXISTS (SELECT 1 FROM {table})" for table in shipped)
            cursor.execute(f"SELECT {', '.join(has_rows)}")
            for rows, is_there in zip(shipped.values(), cursor.fetchone(), strict=True):
                if not is_there:
                    cursor.execute(rows)


@pytest.fixture
def noon() -> Iterator[dt.datetime]:
    """The clock stands at noon, Shanghai, 15 March 2026."""
    with clock.stopped_at(NOON):
        yield NOON


@pytest.fixture
def operator(db: None) -> Login:
    """Someone who may sign in, with PASSWORD."""
    return make.operator(password=PASSWORD)


@pytest.fixture
def cdnow(db: None, tmp_path: Path) -> Source:
    """The CDNOW sample as the demo shows it, imported and evaluated."""
    return make.cdnow(tmp_path)
