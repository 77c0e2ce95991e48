"""A notice that never came is only late: the gateway is asked, ever less often, and once more at the end."""

from __future__ import annotations

import datetime as dt

import pytest

from liuke.orders.actions import expire_orders
from liuke.payments import jobs
from liuke.payments.actions import poll_payment, poll_payments
from liuke.payments.errors import UnknownPayment
from liuke.payments.models import Payment
from liuke.payments.rules import next_poll, next_refund_try, payment_end
from tests.conftest import NOON
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.conftest import Time
from tests.payments.make import Play

pytestmark = pytest.mark.django_db


def test_a_gateway_is_asked_after_5_15_30_60_120_300_seconds_and_then_every_300() -> None:
    end = NOON + dt.timedelta(hours=2)
    at, waits = NOON, []
    for polls in range(9):
        due = next_poll(polls, at, end)
        waits.append((due - at).seconds)
        at = due
    assert waits == [5, 15, 30, 60, 120, 300, 300, 300, 300]


def test_the_end_of_a_payment_is_not_slept_through_and_afterwards_it_goes_on() -> None:
    assert next_poll(8, NOON, NOON + dt.timedelta(seconds=40)) == NOON + dt.timedelta(seconds=40)
    assert next_poll(8, NOON, NOON) == NOON + dt.timedelta(seconds=300)


def test_a_payment_ends_before_its_order_where_there_is_time() -> None:
    minute = dt.timedelta(minutes=1)
    assert payment_end(NOON, NOON + 15 * minute) == NOON + 14 * minute
    assert payment_end(NOON, NOON + 2 * minute) == NOON + 2 * minute


def test_a_refund_is_sent_again_ever_later_and_in_the_end_a_person_looks() -> None:
    waits = [next_refund_try(tries, NOON) for tries in range(1, 10)]
    assert [(due - NOON).seconds for due in waits if due][:4] == [60, 300, 1800, 7200]
    assert waits[-1] is None


def test_a_lost_notice_is_made_up_for_by_asking(gate: Play, shop: Shop, time: Time) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.fault(payment, drop=True)
    gate.click(payment)
    assert gate.tell() == 0
    assert poll_payments() == []
    time.passes(seconds=5)
    assert poll_payments() == [order.pk]
    assert poll_payments() == []
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, order.state, make.escrow(order)) == ("paid", "paid", 1000)
    assert make.broken() == {}


def test_the_job_delivers_what_it_finds_paid(gate: Play, shop: Shop, time: Time) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.fault(payment, drop=True)
    gate.click(payment)
    time.passes(seconds=5)
    jobs.poll(0)
    order.refresh_from_db()
    assert order.state == "paid", "delivery follows OrderPaid, or the page that asked"


def test_the_page_may_ask_at_once_and_not_twice_at_a_time(gate: Play, shop: Shop) -> None:
    payment = make.started(orders.order(shop.coins))
    gate.fault(payment, drop=True)
    assert poll_payment(reference=payment.reference).state == "open"
    gate.click(payment)
    assert poll_payment(reference=payment.reference).state == "paid"
    assert poll_payment(reference=payment.reference).polls == 2, "what is paid is not asked about"
    with pytest.raises(UnknownPayment):
        poll_payment(reference="NOTOURS")


def test_notice_and_poll_of_one_payment_are_one_credit(gate: Play, shop: Shop, time: Time) -> None:
    payment = make.started(orders.order(shop.coins))
    gate.click(payment)
    time.passes(seconds=5)
    poll_payments()
    gate.tell()
    assert make.clearing() == 1000
    assert make.broken() == {}


def test_what_nobody_pays_is_closed_at_the_gateway_before_its_stock_is_free(
    gate: Play, shop: Shop, time: Time
) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    assert payment.expires_at < order.expires_at
    time.now = payment.expires_at
    poll_payments()
    payment.refresh_from_db()
    assert (payment.state, gate.trade(payment).state) == ("closed", "closed")
    assert expire_orders() == 0
    assert payment.due_at == time.now + dt.timedelta(seconds=60), "once more afterwards"
    time.now = payment.due_at
    poll_payments()
    payment.refresh_from_db()
    assert (payment.state, payment.due_at) == ("closed", None)


def test_money_that_came_while_it_was_being_closed_is_found_by_the_last_look(
    gate: Play, shop: Shop, time: Time
) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.fault(payment, drop=True)
    time.now = payment.expires_at
    poll_payments()
    gate.pay_late(payment)
    time.passes(seconds=60)
    assert poll_payments() == [order.pk]
    payment.refresh_from_db()
    assert (payment.state, payment.pays_order, payment.due_at) == ("paid", True, None)
    assert make.broken() == {}


def test_a_gateway_that_is_away_is_asked_again_and_nothing_is_given_up(
    gate: Play, shop: Shop, time: Time
) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.click(payment)
    gate.is_away = True
    time.now = payment.expires_at + dt.timedelta(minutes=30)
    assert poll_payments() == []
    payment.refresh_from_db()
    assert (payment.state, payment.due_at) == ("open", time.now + dt.timedelta(seconds=5))
    gate.is_away = False
    time.passes(seconds=5)
    assert poll_payments() == [order.pk]


def test_a_payment_the_gateway_never_heard_of_ends_with_its_time(
    gate: Play, shop: Shop, time: Time
) -> None:
    gate.is_away = True
    payment = make.begun_without_answer(orders.order(shop.coins))
    gate.is_away = False
    time.passes(seconds=5)
    poll_payments()
    payment.refresh_from_db()
    assert payment.state == "open"
    time.now = payment.expires_at
    poll_payments()
    assert Payment.objects.get().state == "closed"
