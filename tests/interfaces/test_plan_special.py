"""A special price in the form of a plan: chosen, granted with the message, taken away, and refused at its field."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.http import QueryDict
from django.test import Client

from liuke.analytics.models import Source
from liuke.engagement.actions.send import send_due
from liuke.engagement.errors import BadPlan
from liuke.engagement.models import Message, Plan, PlanVersion
from liuke.interfaces.console.filters import Filters
from liuke.interfaces.console.plan_form import PlanForm
from liuke.membership.actions import end_offer
from liuke.membership.models import Offer, OfferGrant
from tests.engagement import make as engagement
from tests.membership import make
from tests.orders import make as orders

pytestmark = pytest.mark.django_db
PLAN = {
    "name": "Wake them", "segment": "", "stage": "silent", "channel": "inbox",
    "purpose": "marketing", "subject": "We miss you", "body": "Hello {member}", "offer": "",
    "offer_worth": "", "cost_each": "", "control_percent": "0", "window_days": "30",
    "again_after_days": "14",
}  # fmt: skip


@pytest.fixture
def silent(noon: dt.datetime, nobody_held_out: None, tmp_path: Path) -> Source:
    """The shop's own source: three silent members."""
    return engagement.shop(tmp_path, ["13800138001", "13800138002", "13800138003"], source="site")


def plan_form(visitor: Client, offer: Offer | None, days: str = "3", **more: str) -> dict[str, str]:
    token = visitor.get("/plans/new/?stage=silent").context["once"]
    special = {"special": offer.reference if offer else "", "special_days": days}
    return {**PLAN, **special, **more, "once": token}


def test_a_plan_made_in_the_form_grants_its_price_to_those_it_reaches(
    visitor: Client, silent: Source
) -> None:
    coins, offer = orders.shop().coins, make.special(percent_off=30)
    answer = visitor.post("/plans/new/", plan_form(visitor, offer))
    version = PlanVersion.objects.get()
    assert (version.special, version.special_days) == (offer, 3)
    page = visitor.get(answer["Location"]).content.decode()
    assert page.count("each gets 30 % off one order for 3 days") == 2
    engagement.run(version.plan)
    engagement.decide()
    send_due()
    assert OfferGrant.objects.count() == Message.objects.filter(state="accepted").count() == 3
    who = Message.objects.earliest("pk").member
    assert orders.quote(coins, of=who).payable_fen == 700
    assert orders.quote(coins, of=orders.member()).payable_fen == 1000


@pytest.mark.parametrize("days", ["", "0", "91"])
def test_a_special_price_without_its_days_is_refused_and_no_plan_is_made(
    days: str, visitor: Client, silent: Source
) -> None:
    offer = make.special()
    answer = visitor.post("/plans/new/", plan_form(visitor, offer, days))
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["special_days"])
    assert f'value="{offer.reference}" selected' in answer.content.decode()
    assert not Plan.objects.exists()


def test_no_plan_grants_what_has_ended_or_is_no_special_price(
    visitor: Client, silent: Source
) -> None:
    make.special()
    ended, gift = make.special(), make.first_order(orders.shop().coins)
    end_offer(reference=ended.reference, by=None)
    for offer in (ended, gift):
        answer = visitor.post("/plans/new/", plan_form(visitor, offer))
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["special"])
    assert not Plan.objects.exists()


def test_an_edited_plan_keeps_its_price_until_the_form_takes_it_away(
    visitor: Client, silent: Source
) -> None:
    offer = make.special()
    plan = engagement.plan(silent, special=offer, special_days=5)
    path = f"/plans/{plan.reference}/edit/"
    initial = visitor.get(path).context["form"].initial
    assert (initial["special"], initial["special_days"]) == (offer.reference, 5)
    visitor.post(path, plan_form(visitor, offer, "5", body="Another text"))
    assert PlanVersion.objects.latest("number").special == offer
    visitor.post(path, plan_form(visitor, None, "5"))
    last = PlanVersion.objects.latest("number")
    assert (last.number, last.special, last.special_days) == (3, None, 0)


def test_an_ended_price_of_a_plan_is_pointed_out_and_cannot_be_saved_again(
    visitor: Client, silent: Source
) -> None:
    offer = make.special()
    plan = engagement.plan(silent, special=offer, special_days=5)
    end_offer(reference=offer.reference, by=None)
    page = visitor.get(f"/plans/{plan.reference}/").content.decode()
    assert "The special price of this plan has ended" in page
    path = f"/plans/{plan.reference}/edit/"
    assert "Come back (ended)" in visitor.get(path).content.decode()
    answer = visitor.post(path, plan_form(visitor, offer, "5"))
    assert answer.context["form"].errors["special"] == ["This special price has ended."]
    assert PlanVersion.objects.count() == 1


def test_members_of_an_imported_log_are_promised_nothing(
    visitor: Client, nobody_held_out: None, tmp_path: Path
) -> None:
    engagement.shop(tmp_path, 3, source="main")
    offer = make.special()
    page = visitor.get("/plans/new/").content.decode()
    assert 'name="special"' not in page
    answer = visitor.post("/plans/new/", plan_form(visitor, offer))
    assert list(answer.context["form"].errors) == ["special"]
    assert not Plan.objects.exists()


def test_what_the_room_refuses_of_a_special_price_stands_at_its_field(silent: Source) -> None:
    form = PlanForm(QueryDict(), source=silent, filters=Filters())
    assert not form.is_valid()
    form.refuse(BadPlan(reason="special"))
    assert form.errors["special"] == [str(BadPlan(reason="special"))]
