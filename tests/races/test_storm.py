"""People buy while the web server and the worker are killed again and again: nobody who paid goes without."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.test_house import ROOT

pytestmark = [pytest.mark.race, pytest.mark.django_db]


def test_killed_servers_and_workers_leave_nobody_who_paid_without_and_no_key_in_two_hands(
    spare: str,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.storm", "--seconds", "5"],
        cwd=ROOT,
        env={**os.environ, "LIUKE_BENCH_URL": spare},
        stdout=subprocess.PIPE,
        text=True,
        timeout=150,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert seen["kills"] >= 8
    assert seen["orders_delivered"] >= 3, "it was a storm in an empty shop"
    assert seen["quiet_after_seconds"] is not None
    left = ("paid_unheard", "paid_undelivered", "events_pending", "keys_twice")
    assert {name: seen[name] for name in left} == dict.fromkeys(left, 0)
    assert "orders_paid" not in seen
    assert seen["broken_promises"] == {}
    assert "orders_refunded" not in seen, "there was stock for everybody"
