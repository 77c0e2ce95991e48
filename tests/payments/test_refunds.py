"""Money goes back once, the way it came, whatever the gateway answers."""

from __future__ import annotations

import pytest

from liuke.delivery.actions import take_back_order
from liuke.events.queries import events_of
from liuke.ledger import accounts
from liuke.ledger.queries import balance_fen
from liuke.orders.errors import OrderMovedOn
from liuke.orders.models import Order
from liuke.payments import jobs, queries
from liuke.payments.actions import (
    refund_order,
    refund_to_wallet,
    retry_refund,
    send_refunds,
)
from liuke.payments.errors import (
    NothingToRefund,
    RefundMovedOn,
    RefundTooLarge,
    UnknownRefund,
)
from liuke.payments.events import MoneyReturned
from liuke.payments.models import Payment, Refund
from liuke.people.models import Login
from liuke.people.queries import staff_acts
from tests.delivery import make as delivery
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.conftest import Time
from tests.payments.make import Play

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(gate: Play, shop: Shop) -> Payment:
    """Two coins, delivered, in escrow."""
    return gate.pay(make.started(orders.order(shop.coins, 2)))


def state(payment: Payment) -> tuple[int, int, int, int]:
    """(escrow, promised back, at the gateway, what the order knows went back)"""
    order = Order.objects.get(pk=payment.order_id)
    assert make.broken() == {}
    return make.escrow(order), make.due(order), make.clearing(), order.refunded_fen


def test_a_refund_is_promised_at_once_and_done_when_the_gateway_says_so(
    gate: Play, paid: Payment
) -> None:
    refund = refund_order(order=paid.order, why="rejected", by=None)
    assert (refund.state, state(paid)) == ("pending", (0, 2000, 2000, 2000))
    assert send_refunds() == 1
    refund.refresh_from_db()
    assert (refund.state, state(paid)) == ("done", (0, 0, 0, 2000))
    assert refund.provider_id == gate.trade(paid).refunds[refund.reference]["refund_no"]
    told = [e.fact for e in events_of(paid.order.member_id) if isinstance(e.fact, MoneyReturned)]
    assert [(fact.amount_fen, fact.to) for fact in told] == [(2000, "sandbox")]
    assert send_refunds() == 0


def test_parts_go_back_until_nothing_is_left(gate: Play, paid: Payment) -> None:
    refund_order(order=paid.order, amount_fen=700, why="part", by=None)
    assert state(paid) == (1300, 700, 2000, 700)
    with pytest.raises(RefundTooLarge):
        refund_order(order=paid.order, amount_fen=1301, why="part", by=None)
    with pytest.raises(NothingToRefund):
        refund_order(order=paid.order, amount_fen=0, why="part", by=None)
    refund_order(order=paid.order, why="rest", by=None)
    with pytest.raises(NothingToRefund):
        refund_order(order=paid.order, why="again", by=None)
    jobs.send_refunds()
    assert state(paid) == (0, 0, 0, 2000)
    assert Order.objects.get(pk=paid.order_id).state == "refunded"
    assert gate.trade(paid).refunded() == 2000


def test_with_all_of_it_the_sites_part_of_the_price_goes_back_to_the_site(
    gate: Play, shop: Shop
) -> None:
    from tests.membership import make as membership

    who = orders.member()
    coupon = membership.coupon(who, off_fen=300, min_spend_fen=500)
    order = orders.order(shop.coins, of=who, coupon_ref=coupon.reference)
    payment = gate.pay(make.started(order))
    take_back_order(order_id=order.pk, why="goodwill", by=None)
    send_refunds()
    assert state(payment) == (0, 0, 0, 700)
    assert balance_fen(accounts.coupon_subsidy()) == 0


def test_an_order_without_money_and_a_completed_one_give_nothing_back(
    gate: Play, shop: Shop, paid: Payment, time: Time
) -> None:
    with pytest.raises(NothingToRefund):
        refund_order(order=orders.order(shop.coins), why="no", by=None)
    from liuke.delivery.actions import accept_overdue

    time.passes(days=90)
    accept_overdue()
    before = make.rows()
    with pytest.raises(OrderMovedOn):
        refund_order(order=paid.order, why="late", by=None)
    assert make.rows() == before


def test_a_wallet_has_its_money_back_at_once(gate: Play, shop: Shop) -> None:
    order = delivery.paid(orders.order(shop.coins))
    assert queries.wallet_fen(order.person_id) == 0
    refund = refund_order(order=order, why="rejected", by=None)
    assert (refund.state, queries.wallet_fen(order.person_id)) == ("done", 1000)
    assert make.broken() == {}


def test_who_prefers_it_gets_it_into_the_wallet_and_buys_with_it(
    gate: Play, paid: Payment, shop: Shop
) -> None:
    refund_order(order=paid.order, amount_fen=1500, why="rejected", by=None, to_wallet=True)
    assert queries.wallet_fen(paid.order.person_id) == 1500
    assert state(paid) == (500, 0, 2000, 1500)
    again = orders.order(shop.coins, of=paid.order.member)
    make.started(again, "wallet")
    assert queries.wallet_fen(paid.order.person_id) == 500
    assert queries.last_gateway(paid.order.person_id) == "wallet"
    assert state(paid) == (500, 0, 2000, 1500)


def test_an_answer_that_got_lost_is_asked_for_again_and_paid_once(
    gate: Play, paid: Payment, time: Time
) -> None:
    gate.fault(paid, break_answer=True)
    refund = refund_order(order=paid.order, why="rejected", by=None)
    send_refunds()
    refund.refresh_from_db()
    assert (refund.state, refund.tries, refund.problem) == ("pending", 1, "no answer")
    assert send_refunds() == 0, "not at once again"
    time.passes(minutes=1)
    send_refunds()
    assert state(paid) == (0, 0, 0, 2000)
    assert gate.trade(paid).refunded() == 2000


def test_a_slow_refund_is_asked_about_until_it_is_done(
    gate: Play, paid: Payment, time: Time
) -> None:
    gate.fault(paid, slow_refund=True)
    refund_order(order=paid.order, why="rejected", by=None)
    send_refunds()
    assert state(paid) == (0, 2000, 2000, 2000)
    time.passes(minutes=1)
    send_refunds()
    assert state(paid) == (0, 0, 0, 2000)


def test_a_refund_the_gateway_will_not_take_waits_for_a_person_who_gives_it_to_the_wallet(
    gate: Play, paid: Payment, operator: Login
) -> None:
    gate.fault(paid, refuse_refund=True)
    refund = refund_order(order=paid.order, why="rejected", by=None)
    send_refunds()
    refund.refresh_from_db()
    assert (refund.state, refund.problem) == ("failed", "refused on purpose")
    assert list(queries.failed_refunds()) == [refund]
    assert state(paid) == (0, 2000, 2000, 2000)
    refund_to_wallet(reference=refund.reference, by=operator)
    assert queries.wallet_fen(paid.order.person_id) == 2000
    assert state(paid) == (0, 0, 2000, 2000)
    with pytest.raises(RefundMovedOn):
        refund_to_wallet(reference=refund.reference, by=operator)
    assert staff_acts(about=refund.reference)[0].verb == "refund.to_wallet"


def test_a_failed_refund_can_be_sent_once_more(gate: Play, paid: Payment, operator: Login) -> None:
    gate.fault(paid, refuse_refund=True)
    refund = refund_order(order=paid.order, why="rejected", by=operator)
    with pytest.raises(RefundMovedOn):
        retry_refund(reference=refund.reference, by=operator)
    send_refunds()
    gate.trade(paid).refunds.clear()
    gate.fault(paid)
    retry_refund(reference=refund.reference, by=operator)
    send_refunds()
    assert state(paid) == (0, 0, 0, 2000)
    with pytest.raises(UnknownRefund):
        retry_refund(reference="NOTOURS", by=operator)


def test_a_gateway_that_is_never_there_hands_the_refund_to_a_person(
    gate: Play, paid: Payment, time: Time
) -> None:
    refund = refund_order(order=paid.order, why="rejected", by=None)
    gate.is_away = True
    for _ in range(12):
        send_refunds()
        time.passes(hours=7)
    refund.refresh_from_db()
    assert (refund.state, refund.tries) == ("failed", 9)
    assert state(paid) == (0, 2000, 2000, 2000)


def test_staff_who_give_back_are_written_down(gate: Play, paid: Payment, operator: Login) -> None:
    refund_order(order=paid.order, amount_fen=100, why="goodwill", by=operator)
    act = staff_acts(about=paid.order.reference)[0]
    assert (act.verb, act.by, act.detail) == (
        "order.refund",
        operator,
        {"amount_fen": 100, "why": "goodwill"},
    )
    assert Refund.objects.get().by == operator
