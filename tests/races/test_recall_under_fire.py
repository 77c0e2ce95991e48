"""A recall whose workers are killed while they send: first with the usual carelessness, to see the damage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests import databases
from tests.test_house import ROOT

pytestmark = [pytest.mark.race, pytest.mark.django_db]
NO_DAMAGE = (
    "duplicates",
    "lost",
    "sent_unrecorded",
    "at_night",
    "after_a_no",
    "weeks_overlapping",
    "promises_broken",
)


def storm(where: str, *words: object) -> dict[str, Any]:
    """`python -m benchmarks.recall --storm …` on a database of its own; what it saw."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.recall", "--storm", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "LIUKE_BENCH_URL": where},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.usefixtures("django_db_setup")
def test_control_workers_that_send_again_what_the_dead_left_send_twice() -> None:
    for _ in range(3):  # a kill has to fall between sending and writing that down
        with databases.spare() as where:
            seen = storm(where, 400, 10, "--careless")
        if seen["duplicates"]:
            break
    assert seen["kills"] > 0
    assert seen["duplicates"] > 0, "the race is real: this is what `unknown` prevents"


def test_killed_workers_lose_nobody_reach_nobody_twice_and_nobody_at_night_or_against_a_no(
    spare: str,
) -> None:
    seen = storm(spare, 1_500, 20)
    assert {name: seen[name] for name in NO_DAMAGE} == dict.fromkeys(NO_DAMAGE, 0)
    assert seen["run"] == "finished"
    assert seen["kills"] >= 5
    # Everyone has exactly one reason, and only those that were on their way when a worker died are in doubt.
    assert sum(seen["reasons"].values()) == 1_500
    assert seen["unknown"] <= seen["kills"] * 32
    assert seen["reasons"]["accepted"] > 700
    assert seen["said_no"] > 0
    assert seen["reasons"].get("no_consent", 0) + seen["reasons"].get("opted_out", 0) > 0
