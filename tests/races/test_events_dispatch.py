"""Dispatchers race and are killed: first without the guard, to see the damage, then with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from benchmarks import events as bench
from tests.events.make import allow_emptying

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("storm_database")]


@pytest.fixture
def storm_database(transactional_db: None, django_db_blocker: Any) -> Iterator[None]:
    allow_emptying()
    yield
    with connection.cursor() as cursor:
        cursor.execute(bench.TABLES.partition("\nCREATE")[0])


def test_without_the_guard_effects_are_doubled() -> None:
    seen = bench.storm(events=4_000, kills=2, guarded=False)
    assert seen["lost"] == 0
    assert seen["doubled"] > 0


def test_killed_dispatchers_lose_nothing_and_double_nothing() -> None:
    seen = bench.storm(events=10_000, kills=6)
    assert (seen["lost"], seen["doubled"]) == (0, 0)
    assert seen["kills_mid_work"] > 0
