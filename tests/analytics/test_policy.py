"""Thresholds and groups are changed on the record, and everybody's standing follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from liuke.analytics import queries
from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.policy import set_group, set_policy
from liuke.analytics.errors import BadPolicy
from liuke.analytics.models import RetentionPolicy, RfmGroup, Source
from liuke.people.models import Login, StaffAct
from tests.analytics import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A source that has just been evaluated."""
    done = make.orders(tmp_path, "m1,2026-03-01,10,,,1")
    evaluate(source=done.source)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    return done.source


def acts() -> list[Any]:
    found = StaffAct.objects.exclude(verb__startswith="login.").order_by("id")
    return list(found.values_list("by", "verb", "about", "detail"))


def jobs() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT queueing_lock FROM procrastinate_jobs ORDER BY id")
        return [lock for (lock,) in cursor.fetchall()]


@pytest.mark.parametrize(
    "change",
    [
        {"days_max": 40},
        {"name": "老朋友"},
        {"action": "call"},
        {"priority": 25},
        {"orders_min": None},
    ],
)
def test_a_changed_group_makes_the_evaluation_stale(change: dict[str, Any], source: Source) -> None:
    assert not queries.is_stale(source)
    set_group(key="loyal", by=None, **change)
    assert queries.is_stale(source)
    assert jobs() == [f"analytics.evaluate:{source.pk}"]
    evaluate(source=source)
    assert not queries.is_stale(source)


def test_who_changed_what_is_on_the_record(source: Source, operator: Login) -> None:
    fresh = set_policy(by=operator, silent_after_days=45, churned_after_days=90)
    set_group(key="loyal", by=operator, total_min_fen=50_000, days_max=None)
    assert jobs() == [f"analytics.evaluate:{source.pk}"]
    assert acts() == [
        (operator.pk, "policy.set", f"policy {fresh.version}", {"silent_after_days": 45}),
        (operator.pk, "group.set", "loyal", {"total_min_fen": 50_000, "days_max": None}),
    ]


def test_thresholds_that_are_those_in_force_make_no_version(source: Source) -> None:
    before = queries.policy()
    assert set_policy(by=None, silent_after_days=before.silent_after_days) == before
    assert RetentionPolicy.objects.count() == 1
    assert acts() == []
    assert jobs() == []


@pytest.mark.parametrize(
    "change",
    [{"key2": 1}, {"reference": "x"}, {"days_max": "x"}, {"days_max": 10**12}, {"name": "x" * 81},
     {"priority": -1}, {"r_min": 9}, {"orders_min": 5, "orders_max": 2}],
)  # fmt: skip
def test_a_group_that_makes_no_sense_is_refused_and_nothing_changed(
    change: dict[str, Any], source: Source, operator: Login
) -> None:
    before = list(RfmGroup.objects.values())
    with pytest.raises(BadPolicy):
        set_group(key="loyal", by=operator, **change)
    assert list(RfmGroup.objects.values()) == before
    assert acts() == []
    assert jobs() == []


@pytest.mark.parametrize("thresholds", [{"silent_after_days": -1}, {"silent_after_days": "x"}])
def test_thresholds_that_are_no_numbers_are_refused(
    thresholds: dict[str, Any], source: Source
) -> None:
    with pytest.raises(BadPolicy):
        set_policy(by=None, **thresholds)
    assert RetentionPolicy.objects.count() == 1
    assert acts() == []
