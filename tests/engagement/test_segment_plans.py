"""A run takes exactly those whom a rule means at the moment it starts, and lets go whoever no longer fits."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from liuke.analytics.actions.count_orders import count_purchases
from liuke.analytics.actions.segments import change_segment, retire_segment, save_segment
from liuke.analytics.models import Purchase, Source
from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.plans import edit_plan, make_plan
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.runs import start_run
from liuke.engagement.models import Decision, Plan
from tests.engagement import make

pytestmark = pytest.mark.django_db

QUIET = {"not": {"fact": "orders_within", "days": 30, "min": 1}}


@pytest.fixture
def shop(noon: dt.datetime, tmp_path: Path) -> Source:
    """m001 to m004, silent for 45 days; fresh ordered today. Everybody agreed, nobody is held out."""
    set_outreach_policy(by=None, holdout_permyriad=0, brake_permille=1000)
    return make.shop(tmp_path, 4)


def ruled(asked: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "rule": asked}


def buys(name: str) -> None:
    made = Purchase.objects.create(
        member=make.member(name), digest=7, at=clock.now(), on=clock.today(), amount_fen=100,
        quantity=1,
    )  # fmt: skip
    count_purchases(purchase_ids=[made.pk])


def planned(shop: Source, **fields: Any) -> Plan:
    return make_plan(
        source=shop, name="p", body="b", channel="inbox", control_permyriad=0, by=None, **fields
    )


def candidates(plan: Plan) -> set[str]:
    run = start_run(plan.reference, by=None)
    found = Decision.objects.filter(run=run)
    return set(found.values_list("member__external_id", flat=True))


def test_a_rule_no_filter_can_say_is_the_audience_of_a_run(shop: Source) -> None:
    plan = planned(shop, audience=ruled(QUIET))
    version = queries.version_in_force(plan)
    assert queries.is_ruled(version)
    buys("m001")
    assert queries.preview(version, samples=0).treated == 3
    assert candidates(plan) == {"m002", "m003", "m004"}
    buys("m002")
    while make.decide():
        pass
    ended = dict(Decision.objects.values_list("member__external_id", "reason"))
    assert ended["m002"] == "not_eligible"
    assert sum(reason == "not_eligible" for reason in ended.values()) == 1


def test_segments_that_a_rule_names_are_those_of_the_moment(shop: Source) -> None:
    quiet = save_segment(source=shop, name="quiet", filter=ruled(QUIET), by=None)
    plan = planned(shop, audience={"within": quiet.reference})
    buys("m001")
    buys("m003")
    retire_segment(reference=quiet.reference, by=None)
    assert candidates(plan) == {"m002", "m004"}


def test_a_plan_keeps_the_rule_it_was_made_with(shop: Source) -> None:
    quiet = save_segment(source=shop, name="quiet", filter=ruled(QUIET), by=None)
    plan = planned(shop, segment=quiet)
    change_segment(reference=quiet.reference, filter={"stage": "new"}, by=None)
    assert queries.version_in_force(plan).audience == ruled(QUIET)
    quiet.refresh_from_db()
    assert edit_plan(plan.reference, segment=quiet, by=None).audience == {"stage": "new"}
