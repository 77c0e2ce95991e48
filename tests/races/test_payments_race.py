"""One credit a payment and never more back than came, whoever comes at the same moment."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from liuke.ledger.models import Entry
from liuke.orders.actions import cancel_order, expire_orders
from liuke.orders.errors import OrderMovedOn
from liuke.orders.models import Order
from liuke.payments import queries
from liuke.payments.actions import (
    poll_payments,
    refund_order,
    send_refunds,
    settle_discrepancy,
    start_payment,
)
from liuke.payments.models import Discrepancy, GatewayNotice, Payment, Refund
from tests.delivery.make import fill_wallet
from tests.orders import make as orders
from tests.payments import make
from tests.payments.conftest import Time, gate, gateway_keys, shop, time
from tests.payments.make import Play
from tests.races.crowd import crowd, outcomes

__all__ = ["gate", "gateway_keys", "shop", "time"]  # fixtures

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

SIX, FIFTY = 6, 50


def test_control_look_then_credit_pays_as_often_as_it_is_told(db: None) -> None:
    """What most shops do with a notice: look whether the order is paid, and if not, pay it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_paid (is_paid boolean, credits int)")
        cursor.execute("INSERT INTO bench_paid VALUES (false, 0)")
    all_have_looked = threading.Barrier(SIX)

    def told(_number: int) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT is_paid FROM bench_paid")
            (is_paid,) = cursor.fetchone()
            all_have_looked.wait(timeout=30)
            if not is_paid:
                cursor.execute("UPDATE bench_paid SET is_paid = true, credits = credits + 1")

    try:
        assert crowd(told, SIX) == [None] * SIX
        with connection.cursor() as cursor:
            cursor.execute("SELECT credits FROM bench_paid")
            assert cursor.fetchone() == (SIX,), "the race is real"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_paid")


def paid_at_the_gateway(gate: Play, shop: orders.Shop, quantity: int = 1) -> Payment:
    payment = make.started(orders.order(shop.coins, quantity))
    gate.fault(payment, drop=True)
    gate.click(payment)
    return payment


def test_fifty_times_the_same_notice_at_once_is_one_credit(gate: Play, shop: orders.Shop) -> None:
    payment = paid_at_the_gateway(gate, shop)
    signed = gate.signed(gate.notice(payment))
    assert crowd(lambda _n: make.post_notice("", *signed), FIFTY) == [200] * FIFTY
    assert (make.clearing(), GatewayNotice.objects.count()) == (1000, 1)
    assert Order.objects.get().state == "delivered"
    assert make.broken() == {}


def test_notices_of_many_numbers_and_polls_at_once_are_one_credit(
    gate: Play, shop: orders.Shop, time: Time
) -> None:
    payment = paid_at_the_gateway(gate, shop)
    time.passes(seconds=5)

    def tell(number: int) -> object:
        if number % 3 == 0:
            return len(poll_payments())
        return make.post_notice("", *gate.signed(gate.notice(payment)))

    got = crowd(tell, 24)
    assert set(got) <= {0, 1, 200}
    assert got.count(1) <= 1
    assert make.clearing() == 1000
    assert Entry.objects.filter(kind="payment").count() == 1
    assert make.broken() == {}


def test_wallet_and_gateway_at_once_pay_once_and_the_other_goes_back(
    gate: Play, shop: orders.Shop
) -> None:
    payment = paid_at_the_gateway(gate, shop)
    order = payment.order
    fill_wallet(order.member, 1000)

    def pay(number: int) -> object:
        if number % 2:
            return start_payment(order=order, gateway="wallet").state
        return make.post_notice("", *gate.signed(gate.notice(payment)))

    got = outcomes(crowd(pay, 12))
    assert got["int"] == 6
    assert Payment.objects.filter(pays_order=True).count() == 1
    send_refunds()
    left = (queries.wallet_fen(order.person_id), make.clearing())
    assert make.escrow(order) == 1000
    assert left in ((0, 0), (1000, 1000)), "one paid, the other has its money"
    assert make.broken() == {}


def test_a_wallet_wanted_by_many_orders_pays_for_what_it_holds(
    gate: Play, shop: orders.Shop
) -> None:
    who = orders.member()
    placed = [orders.order(shop.coins, of=who) for _ in range(3)]
    fill_wallet(who, 2000)
    got = outcomes(crowd(lambda n: start_payment(order=placed[n % 3], gateway="wallet"), 12))
    assert got["Payment"] == 2
    assert got["NotEnough"] + got["NotPayable"] == 10
    assert queries.wallet_fen(who.person_id) == 0
    assert make.broken() == {}


def test_many_taps_are_one_payment(gate: Play, shop: orders.Shop) -> None:
    order = orders.order(shop.coins)
    got = crowd(lambda _n: make.started(order).pk, 12)
    assert len(set(got)) == 1
    assert Payment.objects.count() == 1
    assert len(gate.server.trades.latest(9)) == 1


def test_refunds_asked_for_at_once_never_give_back_more_than_was_paid(
    gate: Play, shop: orders.Shop
) -> None:
    payment = gate.pay(make.started(orders.order(shop.coins, 2)))
    order = payment.order
    got = outcomes(
        crowd(lambda _n: refund_order(order=order, amount_fen=300, why="x", by=None), FIFTY)
    )
    assert got == {"Refund": 6, "RefundTooLarge": FIFTY - 6}
    crowd(lambda _n: send_refunds(), SIX)
    assert gate.trade(payment).refunded() == 1800
    assert (make.escrow(order), make.due(order), make.clearing()) == (200, 0, 200)
    assert make.broken() == {}


def test_the_whole_asked_for_twice_goes_back_once(gate: Play, shop: orders.Shop) -> None:
    payment = gate.pay(make.started(orders.order(shop.coins, 2)))
    got = outcomes(crowd(lambda _n: refund_order(order=payment.order, why="x", by=None), 12))
    assert got == {"Refund": 1, "NothingToRefund": 11}
    assert make.due(payment.order) == 2000
    assert make.broken() == {}


def test_refund_and_acceptance_at_once_do_not_both_happen(gate: Play, shop: orders.Shop) -> None:
    from liuke.delivery.actions import accept_delivery

    payment = gate.pay(make.started(orders.order(shop.coins)))
    order = payment.order
    line_id = order.lines.get().pk

    def end(number: int) -> object:
        if number % 2:
            return accept_delivery(line_id=line_id, member=order.member)
        return refund_order(order=order, why="x", by=None)

    crowd(end, 8)
    order.refresh_from_db()
    assert order.state in ("completed", "refunded")
    assert make.escrow(order) == 0
    assert Entry.objects.filter(key=f"release:{order.reference}").exists() is (
        order.state == "completed"
    )
    assert make.broken() == {}


def test_money_and_cancelling_at_once_end_in_an_order_or_in_a_refund(
    gate: Play, shop: orders.Shop
) -> None:
    payment = paid_at_the_gateway(gate, shop)

    def end(number: int) -> object:
        if number % 2:
            return cancel_order(order_id=payment.order_id)
        return make.post_notice("", *gate.signed(gate.notice(payment)))

    got = crowd(end, 8)
    assert all(each == 200 for each in got[::2])
    assert {type(each) for each in got[1::2]} <= {Order, OrderMovedOn}
    send_refunds()
    order = Order.objects.get()
    is_paid = order.state == "delivered"
    assert (make.escrow(order), make.clearing()) == ((1000, 1000) if is_paid else (0, 0))
    assert make.broken() == {}


def test_money_and_expiry_at_once_lose_nothing(gate: Play, shop: orders.Shop, time: Time) -> None:
    payments = [paid_at_the_gateway(gate, shop) for _ in range(5)]
    time.passes(minutes=30)

    def end(number: int) -> object:
        if number % 2:
            return expire_orders()
        which = payments[number // 2]
        return make.post_notice("", *gate.signed(gate.notice(which)))

    crowd(end, 10)
    send_refunds()
    assert set(Order.objects.values_list("state", flat=True)) <= {"delivered", "cancelled"}
    delivered = Order.objects.filter(state="delivered").count()
    assert make.clearing() == 1000 * delivered
    assert Refund.objects.filter(state="done").count() == 5 - delivered
    assert make.broken() == {}


def test_a_discrepancy_is_settled_by_one(gate: Play, shop: orders.Shop) -> None:
    payment = make.started(orders.order(shop.coins))
    gate.fault(payment, drop=True)
    gate.click(payment)
    signed = gate.signed(gate.notice(payment, amount=999))
    assert set(crowd(lambda _n: make.post_notice("", *signed), 12)) == {409}
    odd = Discrepancy.objects.get()
    got = outcomes(
        crowd(lambda _n: settle_discrepancy(discrepancy_id=odd.pk, how="refund", by=None), 12)
    )
    assert got == {"Discrepancy": 1, "DiscrepancySettled": 11}
    crowd(lambda _n: send_refunds(), SIX)
    assert (make.suspense(), make.clearing(), Refund.objects.count()) == (0, 0, 1)
    assert make.broken() == {}


def test_a_storm_of_notices_credits_once_and_of_altered_ones_never(
    gate: Play, shop: orders.Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The benchmark itself, smaller."""
    from benchmarks import notices as bench

    monkeypatch.setattr(bench, "play_at", lambda _folder: gate)
    told = bench.run(duplicates=100, mutated=150, folder=tmp_path)
    assert (told["credits"], told["answered_taken"]) == (1, 100)
    assert (told["mutated_accepted"], told["mutated_left_rows"]) == (0, False)
    assert told["the_true_one_still_counts"] is True
    assert told["broken_promises"] == {}
