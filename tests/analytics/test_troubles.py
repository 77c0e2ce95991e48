"""What members met in the shop, as the forecasts take it: counted by hand on three orders."""

from __future__ import annotations

import datetime as dt

import pytest

from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.forecast import forecast_members
from liuke.analytics.columns import to_day
from liuke.analytics.models import BehaviourDay, Forecast, Source
from liuke.analytics.queries import troubles
from liuke.base import clock
from liuke.delivery.actions import deliver_order, reject_delivery
from liuke.events.dispatcher import dispatch_pending
from liuke.people.models import Member
from liuke.science.solving import Tally
from tests.conftest import NOON
from tests.delivery import make as delivery
from tests.membership import make as membership
from tests.orders import make as orders

pytestmark = pytest.mark.django_db
FIRST = NOON - dt.timedelta(days=60)


@pytest.fixture
def who() -> Member:
    """Joined 60 days ago and ordered at once, with the gift; that key was dead, and answered at once. Ordered again
    ten days later, late. Somebody else only joined."""
    with clock.stopped_at(FIRST):
        shop, member = orders.shop(price_fen=1000), orders.member()
        orders.member()
        gift = orders.product(shop.merchant, price_fen=500, stock=1, title="Gift")
        membership.first_order(gift)
        order = delivery.delivered(orders.order(shop.coins, of=member))
        reject_delivery(line_id=delivery.line_id(order), member=member, reason="does_not_work")
        dispatch_pending()
    with clock.stopped_at(FIRST + dt.timedelta(days=10)):
        late = delivery.paid(orders.order(shop.coins, of=member))
    with clock.stopped_at(FIRST + dt.timedelta(days=10, hours=1)):
        assert deliver_order(order_id=late.pk)
        dispatch_pending()
    return member


def test_complaints_late_deliveries_answers_and_beginnings(who: Member) -> None:
    with clock.stopped_at(NOON):
        source, today = Source.objects.get(key="site"), clock.today()
        told = troubles.behaviours(source, today)
        first_day = to_day(FIRST.date())
        assert sorted(told) == ["complaint", "late"]
        complaint, late = told["complaint"], told["late"]
        assert (list(complaint.member), list(complaint.day)) == ([who.pk], [first_day])  # type: ignore[call-overload]
        assert list(complaint.solved) == [True]  # type: ignore[call-overload]
        assert (list(late.member), list(late.day)) == ([who.pk], [first_day + 10])  # type: ignore[call-overload]
        assert troubles.behaviours(source, FIRST.date() - dt.timedelta(days=1)) == {}
        assert troubles.solving_counts(source, today) == (
            {"does_not_work": {"within_2h": Tally(1, 1)}}, 0)  # fmt: skip
        assert troubles.joined_by_month(source, today) == {"2026-01": (2, 1)}
        assert troubles.labels("gift", source, today) == {who.pk: ("with", "", "")}
        assert troubles.labels("scene", source, today) == {who.pk: ("games", "游戏", "Games")}
        assert troubles.labels("product", source, today)[who.pk][0] == "Coins 60"
        assert troubles.labels("solving", source, today) == {who.pk: ("within_2h", "", "")}
        before = FIRST.date() - dt.timedelta(days=1)
        assert troubles.labels("solving", source, before) == {}
    with clock.stopped_at(FIRST + dt.timedelta(days=20)):
        assert troubles.solving_counts(source, clock.today()) == ({}, 1)


def test_cohorts_of_visits_begin_with_the_first_that_was_noted(who: Member) -> None:
    counted = dict.fromkeys(("views", "searches", "logins", "adds", "buys", "clicks", "opens"), 0)
    for on in (dt.date(2026, 1, 20), dt.date(2026, 1, 30), dt.date(2026, 3, 2)):
        BehaviourDay.objects.create(person_id=who.person_id, on=on, **{**counted, "views": 1})
    with clock.stopped_at(NOON):
        source = Source.objects.get(key="site")
        assert troubles.visit_days(source, FIRST.date() - dt.timedelta(days=1))[0].tolist() == []
        evaluate(source=source, as_of=clock.today())
        cohorts = forecast_members(source=source).cohorts
    (row,) = cohorts["month.visits"]["rows"]
    assert (row["period"], row["members"]) == ("2026-01", 1)
    assert [(cell["age"], cell["returned"], cell["finished"]) for cell in row["cells"]] == [
        (0, 1, True), (1, 0, True), (2, 1, False)]  # fmt: skip
    assert cohorts["month.solving"]["rows"][0]["key"] == "other"  # too few to stand alone


def test_what_was_met_is_told_of_the_member(who: Member) -> None:
    with clock.stopped_at(NOON):
        source = Source.objects.get(key="site")
        evaluate(source=source, as_of=clock.today())
        run = forecast_members(source=source)
    kept = Forecast.objects.get(member=who)
    assert kept.complaint_rate == pytest.approx(0.5)
    assert kept.open_complaints == 0
    assert "complaint" in kept.reasons or "late" in kept.reasons
    assert run.solving["buckets"][0] == {"bucket": "within_2h", "cases": 1, "again": 1}
    assert run.first_orders["rows"][0]["joined"] == 2
