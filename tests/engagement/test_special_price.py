"""The price that a recall message speaks of is really charged: to those it went to, while it says so."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.base.outside import Accepted, Outcome, Rejected, Unknown
from liuke.engagement.actions.plans import edit_plan
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.send import send_due
from liuke.engagement.errors import BadPlan
from liuke.engagement.models import Decision, Message, PlanVersion
from liuke.membership.models import OfferGrant
from liuke.people.models import Member
from tests.delivery import make as delivery
from tests.engagement import make
from tests.membership import make as membership
from tests.orders import make as orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(noon: dt.datetime, tmp_path: Path) -> Source:
    """Three silent members, of whom the lot holds nobody out."""
    set_outreach_policy(by=None, holdout_permyriad=0)
    return make.shop(tmp_path, ["13800138001", "13800138002", "13800138003"])


def recalled(source: Source, **fields: Any) -> None:
    """A plan with 30 % off one order for three days, carried out."""
    said = {"special": membership.special(percent_off=30), "special_days": 3, **fields}
    make.run(make.plan(source, **said))
    make.decide()


def test_whoever_is_recalled_pays_the_price_of_the_message_until_it_ends(source: Source) -> None:
    shop = orders.shop(price_fen=1000)
    recalled(source)
    assert not OfferGrant.objects.exists(), "nothing went out yet"
    send_due()
    message = Message.objects.earliest("pk")
    who = Member.objects.get(pk=message.person_id)
    grant = OfferGrant.objects.get(person=who)
    assert (grant.about, grant.ends_at) == (message.reference, clock.now() + dt.timedelta(days=3))
    assert OfferGrant.objects.count() == Message.objects.count() == 3
    with clock.stopped_at(grant.ends_at):
        assert orders.quote(shop.coins, of=who).payable_fen == 1000
    order = delivery.paid(orders.order(shop.coins, of=who))
    assert (order.payable_fen, order.subsidy_fen) == (700, 300)
    assert orders.quote(shop.coins, of=who).payable_fen == 1000
    assert orders.quote(shop.coins, of=orders.member()).payable_fen == 1000
    assert delivery.broken() == {}


def test_who_is_only_compared_with_pays_what_everybody_pays(source: Source) -> None:
    recalled(source, control_permyriad=5000)
    send_due()
    treated = Decision.objects.filter(arm="treated").values_list("person_id", flat=True)
    assert set(OfferGrant.objects.values_list("person_id", flat=True)) == set(treated)


@pytest.mark.parametrize(
    ("outcome", "grants"), [(Accepted("1"), 3), (Unknown("silence"), 3), (Rejected("no"), 0)]
)
def test_a_message_that_may_have_gone_out_is_kept_and_one_that_did_not_is_not(
    source: Source, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, grants: int
) -> None:
    monkeypatch.setattr("liuke.engagement.channels.OUTSIDE", {"sms": Answer(outcome)}, raising=True)
    monkeypatch.setattr("liuke.engagement.actions.send.OUTSIDE", {"sms": Answer(outcome)})
    recalled(source, channel="sms")
    send_due()
    assert OfferGrant.objects.count() == grants


class Answer:
    """A channel that says one thing."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def send(self, _outgoing: object) -> Outcome:
        return self.outcome


def test_a_plan_without_a_special_price_grants_nothing(source: Source) -> None:
    make.run(make.plan(source))
    make.decide()
    send_due()
    assert Message.objects.filter(state="accepted").count() == 3
    assert not OfferGrant.objects.exists()


def test_an_edited_plan_keeps_its_special_price_until_it_is_taken_away(source: Source) -> None:
    offer = membership.special()
    plan = make.plan(source, special=offer, special_days=3)
    edit_plan(plan.reference, by=None, body="Another text")
    assert PlanVersion.objects.latest("number").special == offer
    edit_plan(plan.reference, by=None, special=None, special_days=0)
    assert PlanVersion.objects.latest("number").special is None


def test_a_special_price_without_days_or_of_another_kind_is_refused(source: Source) -> None:
    shop = orders.shop()
    for wrong in (
        {"special": membership.special()},
        {"special": membership.special(), "special_days": 91},
        {"special_days": 3},
        {"special": membership.first_order(shop.coins), "special_days": 3},
    ):
        with pytest.raises(BadPlan):
            make.plan(source, **wrong)
    assert not PlanVersion.objects.exists()
