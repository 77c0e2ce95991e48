"""People buy while the database is killed, and then the whole site: nobody who paid goes without."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.test_house import ROOT

pytestmark = pytest.mark.race


def test_a_killed_database_and_a_killed_site_leave_nobody_who_paid_without() -> None:
    environ = {name: told for name, told in os.environ.items() if not name.startswith("LIUKE_")}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.outage"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert {what: len(out) for what, out in seen["seconds_out_of_order"].items()} == {
        "database": 1,
        "supervisor": 1,
    }
    assert seen["orders_delivered"] >= seen["orders_answered"] >= 4
    assert seen["quiet_after_seconds"] is not None
    damage = {name: seen[name] for name in ("paid_undelivered", "events_pending", "keys_twice")}
    assert damage == {"paid_undelivered": 0, "events_pending": 0, "keys_twice": 0}
    assert seen["broken_promises"] == {}
