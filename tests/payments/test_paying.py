"""From the tap to escrow, and every way in which money can come wrongly."""

from __future__ import annotations

import pytest

from liuke.catalog.models import CardKey
from liuke.delivery.models import DeliveredKey
from liuke.ledger import accounts
from liuke.ledger.queries import balance_fen, entries_about
from liuke.orders.actions import cancel_order, expire_orders
from liuke.payments import queries
from liuke.payments.actions import poll_payments, send_refunds, start_payment
from liuke.payments.errors import GatewayAway, NotPayable, UnknownGateway
from liuke.payments.models import Discrepancy, Payment, Refund
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.conftest import Time
from tests.payments.make import Play

pytestmark = pytest.mark.django_db


def test_a_member_pays_on_the_page_and_has_the_key_when_the_gateway_has_told(
    gate: Play, shop: Shop
) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    assert payment.pay_url.startswith(f"{make.BASE}/pay/")
    gate.pay(payment)
    order.refresh_from_db()
    assert (payment.state, payment.pays_order, order.state) == ("paid", True, "delivered")
    assert payment.trade_no == gate.trade(payment).trade_no
    assert (make.escrow(order), make.clearing()) == (1000, 1000)
    assert DeliveredKey.objects.filter(delivery__order=order).count() == 1
    (entry,) = entries_about(order.reference)
    assert entry.key == f"pay:sandbox:{payment.trade_no}"
    assert gate.trade(payment).is_notified
    assert make.broken() == {}


def test_a_second_tap_is_the_same_payment(gate: Play, shop: Shop) -> None:
    order = orders.order(shop.coins)
    assert make.started(order).pk == make.started(order).pk
    assert Payment.objects.count() == 1


def test_a_gateway_that_did_not_answer_is_asked_again_for_the_same_payment(
    gate: Play, shop: Shop
) -> None:
    order = orders.order(shop.coins)
    gate.is_away = True
    with pytest.raises(GatewayAway):
        make.started(order)
    open_one = Payment.objects.get()
    assert (open_one.state, open_one.pay_url) == ("open", "")
    gate.is_away = False
    again = make.started(order)
    assert (again.pk, bool(again.pay_url)) == (open_one.pk, True)


def test_what_is_not_offered_or_not_payable_is_refused(
    gate: Play, shop: Shop, time: Time, settings: pytest.FixtureRequest
) -> None:
    order = orders.order(shop.coins)
    with pytest.raises(UnknownGateway):
        start_payment(order=order, gateway="bitcoin")
    settings.LIUKE_GATEWAYS = ("wallet",)  # type: ignore[attr-defined]
    with pytest.raises(UnknownGateway):
        make.started(order)
    settings.LIUKE_GATEWAYS = ("wallet", "sandbox")  # type: ignore[attr-defined]
    time.passes(days=1)
    with pytest.raises(NotPayable):
        make.started(order)
    cancelled = orders.order(shop.coins)
    cancel_order(order_id=cancelled.pk)
    with pytest.raises(NotPayable):
        make.started(cancelled)
    assert Payment.objects.count() == 0


def test_the_notice_may_come_before_the_member_is_back(gate: Play, shop: Shop) -> None:
    """And the page they come back to believes nothing: it asks."""
    payment = make.started(orders.order(shop.coins))
    gate.pay(payment)
    assert queries.payment_by_reference(payment.reference).state == "paid"


def test_paid_after_its_time_with_stock_left_the_order_goes_on(
    gate: Play, shop: Shop, time: Time
) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    time.passes(hours=2)
    assert expire_orders() == 1
    gate.pay_late(payment)
    gate.tell()
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.state, payment.pays_order, make.escrow(order)) == ("delivered", True, 1000)
    assert make.broken() == {}


def test_paid_after_its_time_with_nothing_left_goes_back_by_itself(
    gate: Play, shop: Shop, time: Time
) -> None:
    order = orders.order(shop.coins, 5)
    payment = make.started(order)
    time.passes(hours=2)
    assert expire_orders() == 1
    others = orders.order(shop.coins, 3)
    gate.pay_late(payment)
    gate.tell()
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.state, payment.state, payment.pays_order) == ("cancelled", "paid", False)
    assert (make.escrow(order), make.due(order), make.clearing()) == (0, 5000, 5000)
    assert Refund.objects.get().why == "OutOfStock"
    assert send_refunds() == 1
    assert (make.due(order), make.clearing()) == (0, 0)
    assert gate.trade(payment).refunded() == 5000
    assert others.state == "placed"
    assert CardKey.objects.filter(state="held").count() == 3
    assert make.broken() == {}


def test_paid_after_somebody_cancelled_it_goes_back_by_itself(gate: Play, shop: Shop) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.click(payment)
    cancel_order(order_id=order.pk)
    gate.tell()
    send_refunds()
    order.refresh_from_db()
    assert (order.state, Refund.objects.get().state) == ("cancelled", "done")
    assert Refund.objects.get().why == "OrderCancelled"
    assert (make.clearing(), make.escrow(order), make.due(order)) == (0, 0, 0)
    assert make.broken() == {}


def test_paid_twice_pays_once_and_the_excess_goes_back(gate: Play, shop: Shop) -> None:
    """From the wallet and by the gateway, on two phones at once."""
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.click(payment)
    fill(order.person_id, 1000)
    start_payment(order=order, gateway="wallet")
    gate.tell()
    send_refunds()
    payment.refresh_from_db()
    assert (payment.state, payment.pays_order) == ("paid", False)
    assert Payment.objects.get(pays_order=True).gateway == "wallet"
    assert Refund.objects.get().amount_fen == 1000
    assert (make.escrow(order), make.clearing(), queries.wallet_fen(order.person_id)) == (
        1000,
        0,
        0,
    )
    assert make.broken() == {}


@pytest.mark.parametrize(
    ("fault", "kind", "is_booked"),
    [
        ({"wrong_amount": -1}, "wrong_amount", True),
        ({"wrong_amount": 900}, "wrong_amount", True),
        ({"wrong_seller": True}, "wrong_seller", False),
        ({"wrong_app": True}, "wrong_app", False),
        ({"wrong_currency": True}, "wrong_currency", False),
    ],
)
def test_what_does_not_fit_pays_nothing_and_waits_for_a_person(
    gate: Play, shop: Shop, fault: dict[str, int], kind: str, is_booked: bool
) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.fault(payment, **fault)
    gate.click(payment)
    gate.tell()
    found = Discrepancy.objects.get()
    told = 1000 + int(fault.get("wrong_amount", 0))
    assert (found.kind, found.amount_fen, found.is_booked) == (kind, told, is_booked)
    assert list(queries.discrepancies()) == [found]
    assert make.suspense() == make.clearing() == (told if is_booked else 0)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.state, make.escrow(order)) == ("placed", 0)
    assert payment.state == ("odd" if is_booked else "open")
    assert not gate.trade(payment).is_notified, "the gateway keeps telling"
    assert make.broken() == {}


def test_money_for_an_order_we_never_had_goes_into_suspense_once(gate: Play, shop: Shop) -> None:
    payment = make.started(orders.order(shop.coins))
    told = gate.notice(payment, reference="NOTOURS234", trade_no="SBX")
    for _ in range(2):
        assert make.post_notice("", *gate.signed({**told, "id": make.secrets.token_hex(4)})) == 409
    found = Discrepancy.objects.get()
    assert (found.kind, found.told_reference, found.payment) == (
        "unknown_order",
        "NOTOURS234",
        None,
    )
    assert make.suspense() == 1000
    assert make.broken() == {}


def test_one_payment_paid_under_two_numbers_is_paid_once(gate: Play, shop: Shop) -> None:
    order = orders.order(shop.coins)
    payment = gate.pay(make.started(order))
    assert make.post_notice("", *gate.signed(gate.notice(payment, trade_no="SB2"))) == 409
    assert Discrepancy.objects.get().kind == "other_trade"
    assert (make.escrow(order), make.suspense(), make.clearing()) == (1000, 1000, 2000)
    assert make.broken() == {}


def test_an_order_with_a_coupon_fills_escrow_with_the_goods_price(gate: Play, shop: Shop) -> None:
    from tests.membership import make as membership

    who = orders.member()
    coupon = membership.coupon(who, off_fen=300, min_spend_fen=500)
    order = orders.order(shop.coins, of=who, coupon_ref=coupon.reference)
    gate.pay(make.started(order))
    assert (order.payable_fen, order.subsidy_fen) == (700, 300)
    assert (make.clearing(), make.escrow(order)) == (700, 1000)
    assert balance_fen(accounts.coupon_subsidy()) == 300
    assert make.broken() == {}


def test_nothing_due_asks_nobody(gate: Play, shop: Shop) -> None:
    gate.is_away = True
    assert poll_payments() == []
    assert send_refunds() == 0


def fill(person_id: int, amount_fen: int) -> None:
    from liuke.ledger.actions import Move, post

    move = Move(accounts.bank(), accounts.wallet(person_id), amount_fen)
    post(key=f"fill:{person_id}", kind="test", moves=[move])
