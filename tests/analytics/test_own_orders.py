"""Own orders and imported ones are one stream of purchases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import transaction

from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.rebuild_facts import rebuild_facts
from liuke.analytics.actions.take_orders import take_orders
from liuke.analytics.invariants import invariants
from liuke.analytics.models import MemberFacts, Purchase, PurchaseLine, Source, Standing
from liuke.base import clock
from liuke.base.audit import check
from liuke.delivery.actions import accept_delivery, reject_delivery
from liuke.events.actions import replay
from liuke.events.dispatcher import dispatch_pending
from liuke.membership.models import Spend
from liuke.membership.queries import spend_of
from liuke.orders.actions import claim_orders, join_as_guest
from liuke.people.models import Member
from tests.analytics import make as analytics
from tests.delivery import make as delivery
from tests.membership import make as membership
from tests.orders import make as orders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def broken() -> dict[str, int]:
    found = [check(promise) for promise in invariants()]
    return {each.invariant.name: each.violations for each in found if each.violations}


def test_a_paid_order_is_a_purchase_and_a_refund_a_return() -> None:
    shop, who = orders.shop(price_fen=1000), orders.member()
    membership.first_order(orders.product(shop.merchant, price_fen=500, stock=1, title="Gift"))
    order = delivery.delivered(orders.order(shop.coins, 2, of=who))
    dispatch_pending()
    purchase = Purchase.objects.get()
    assert (purchase.member_id, purchase.order_number) == (who.pk, order.reference)
    assert (purchase.amount_fen, purchase.quantity, purchase.on) == (2000, 2, clock.today())
    assert PurchaseLine.objects.get().item == "Coins 60"
    source = Source.objects.get()
    assert (source.key, source.currency) == ("site", "CNY")

    for key in delivery.keys(order)[:2]:
        reject_delivery(
            line_id=delivery.line_id(order), member=who, reason="does_not_work", key_id=key.pk
        )
        dispatch_pending()
    amounts = list(Purchase.objects.order_by("pk").values_list("amount_fen", flat=True))
    assert amounts == [2000, -1000, -1000]
    facts = MemberFacts.objects.get()
    assert (facts.orders, facts.returns, facts.spent_fen, facts.returned_fen) == (1, 2, 2000, 2000)
    assert broken() == {}


def test_an_order_told_again_is_the_same_purchase() -> None:
    order = delivery.paid(orders.order(orders.shop().coins))
    assert take_orders(order_ids=[order.pk], at=clock.now()) == 1
    assert take_orders(order_ids=[order.pk], at=clock.now()) == 0
    dispatch_pending()
    assert Purchase.objects.count() == 1
    unpaid = orders.order(orders.shop().coins)
    assert take_orders(order_ids=[unpaid.pk], at=clock.now()) == 0


def test_the_days_of_own_orders_are_counted_once(noon: dt.datetime) -> None:
    shop, who = orders.shop(stock=9), orders.member()
    for days in (0, 0, 1, 1, 2):
        with clock.stopped_at(noon + dt.timedelta(days=days)):
            delivery.delivered(orders.order(shop.coins, of=who))
            if days != 1:
                dispatch_pending()
    dispatch_pending()
    facts = MemberFacts.objects.get()
    assert (facts.orders, facts.order_days) == (5, 3)
    assert rebuild_facts().drifted == ()


def test_a_member_of_an_imported_log_goes_on_where_the_log_ends(tmp_path: Path) -> None:
    day = clock.today() - dt.timedelta(days=40)
    analytics.orders(tmp_path, f"13800138000,{day} 12:00:00,20.00,A1,Coins,1")
    who = Member.objects.get()
    shop = orders.shop()
    delivery.delivered(orders.order(shop.coins, of=who))
    dispatch_pending()
    facts = MemberFacts.objects.get()
    assert (facts.orders, facts.first_on, facts.last_on) == (2, day, clock.today())
    evaluate(source=Source.objects.get(key="main"))
    assert Standing.objects.get().orders == 2
    analytics.orders(
        tmp_path,
        f"13800138000,{day} 12:00:00,20.00,A1,Coins,1",
        f"13800138000,{clock.today()} 12:00:00,30.00,A2,Coins,1",
    )
    facts.refresh_from_db()
    assert (facts.orders, facts.order_days) == (3, 2)
    assert (rebuild_facts().drifted, broken()) == ((), {})


def test_a_first_import_after_own_orders_counts_their_days_once(tmp_path: Path) -> None:
    who = orders.member("13800138000")
    delivery.delivered(orders.order(orders.shop().coins, of=who))
    dispatch_pending()
    analytics.orders(
        tmp_path, f"13800138000,{clock.today()} 09:00:00,20.00,A1,Coins,1", source="site"
    )
    facts = MemberFacts.objects.get()
    assert (facts.orders, facts.order_days) == (2, 1)
    assert rebuild_facts().drifted == ()


def test_a_log_in_another_currency_is_left_alone(tmp_path: Path) -> None:
    analytics.orders(tmp_path, "13800138000,2026-01-01 12:00:00,20.00,A1,Coins,1", currency="USD")
    delivery.delivered(orders.order(orders.shop().coins, of=Member.objects.get()))
    dispatch_pending()
    assert MemberFacts.objects.get().orders == 1


def test_a_guests_order_is_a_purchase_once_somebody_signs_in() -> None:
    shop = orders.shop()
    delivery.delivered(orders.order(shop.coins, of=join_as_guest(device="d")))
    dispatch_pending()
    assert not Purchase.objects.exists()
    who = orders.member()
    claim_orders(member=who, device="d")
    dispatch_pending()
    assert Purchase.objects.get().member_id == who.pk
    assert broken() == {}


def test_the_spend_can_be_told_again_from_the_log() -> None:
    shop, who = orders.shop(price_fen=6000), orders.member()
    for _ in range(2):
        order = delivery.delivered(orders.order(shop.coins, of=who))
        accept_delivery(line_id=delivery.line_id(order), member=who)
    dispatch_pending()
    before = spend_of(who.person_id)
    assert (before.orders, before.spent_fen, before.level_id is not None) == (2, 12_000, True)
    with transaction.atomic():
        replay("membership.count_spend")
        Spend.objects.all().delete()
    dispatch_pending()
    after = spend_of(who.person_id)
    assert (after.orders, after.spent_fen, after.level_id) == (2, 12_000, before.level_id)
    assert membership.broken() == {}
