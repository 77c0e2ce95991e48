"""SQL typed by hand is refused as well, and whoever gets past it is found by the audit."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.payments.actions import refund_order, send_refunds
from liuke.payments.models import Payment
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.make import Play

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(gate: Play, shop: Shop) -> Payment:
    """Paid, with a part that went back and a part that is on its way."""
    payment = gate.pay(make.started(orders.order(shop.coins, 2)))
    refund_order(order=payment.order, amount_fen=300, why="part", by=None)
    send_refunds()
    refund_order(order=payment.order, amount_fen=200, why="part", by=None)
    return payment


def refused(statement: str) -> str:
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert make.broken() == {}
    return str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_payment SET amount_fen = 1",
        "UPDATE payments_payment SET state = 'closed', paid_at = NULL",
        "UPDATE payments_payment SET pays_order = false",
        "UPDATE payments_payment SET trade_no = 'x'",
        "UPDATE payments_payment SET refunded_fen = 0",
        "DELETE FROM payments_payment",
        "UPDATE payments_refund SET amount_fen = 1",
        "UPDATE payments_refund SET state = 'pending', done_at = NULL, due_at = asked_at WHERE state = 'done'",
        "UPDATE payments_refund SET payment_id = NULL",
        "DELETE FROM payments_refund",
    ],
)
def test_what_was_paid_or_promised_stays(paid: Payment, statement: str) -> None:
    refused(statement)


def test_no_second_payment_pays_an_order_and_no_trade_is_two(
    gate: Play, paid: Payment, shop: Shop
) -> None:
    copy = (
        "INSERT INTO payments_payment (reference, order_id, gateway, amount_fen, currency, state, pay_url, trade_no,"
        " pays_order, started_at, expires_at, due_at, polls) SELECT 'COPY', order_id, gateway, amount_fen, currency,"
        " 'open', '', '', false, started_at, expires_at, started_at, 0 FROM payments_payment"
    )
    with connection.cursor() as cursor:
        cursor.execute(copy)
    turned = "UPDATE payments_payment SET state = 'paid', paid_at = started_at, due_at = NULL,"
    other = f"{turned} trade_no = 'other', pays_order = true WHERE reference = 'COPY'"
    assert "one_payment_pays_an_order" in refused(other)
    same = f"{turned} trade_no = '{paid.trade_no}' WHERE reference = 'COPY'"
    assert "a_trade_is_one_payment" in refused(same)
    assert "a_payment_starts_open" in refused(
        copy.replace("'COPY'", "'C2'").replace("'open'", "'odd'")
    )
    assert "one_open_payment_a_gateway" in refused(copy.replace("'COPY'", "'C3'"))


def test_more_than_was_paid_does_not_go_back_by_hand_either(paid: Payment) -> None:
    refund = (
        "INSERT INTO payments_refund (reference, payment_id, owner, gateway, trade_no, amount_fen, why, state,"
        f" to_wallet, provider_id, problem, tries, due_at, asked_at) SELECT 'R', {paid.pk}, 'x', 'sandbox', 'x', 1501,"
        " 'x', 'pending', false, '', '', 0, started_at, started_at FROM payments_payment"
    )
    assert "refunds_stay_within_the_payment" in refused(refund)
    assert "a_refund_starts_pending" in refused(refund.replace("'pending'", "'failed'"))


@pytest.mark.parametrize(
    ("alteration", "promise"),
    [
        ("UPDATE payments_payment SET pays_order = false", "a_paid_order_has_its_payment"),
        ("UPDATE payments_payment SET trade_no = 'x'", "paid_is_booked"),
        ("UPDATE payments_payment SET refunded_fen = 1", "refunds_stay_within_payments"),
        ("UPDATE payments_payment SET refunded_fen = 1", "orders_know_their_refunds"),
        ("UPDATE payments_payment SET pays_order = false", "excess_goes_back"),
        ("UPDATE payments_payment SET amount_fen = 1999", "clearing_is_explained"),
        ("UPDATE payments_refund SET reference = 'x' WHERE state = 'done'", "refunds_are_booked"),
        ("UPDATE payments_refund SET amount_fen = 1", "what_is_owed_back_is_on_its_way"),
        ("UPDATE payments_gateway_notice SET became = ''", "notices_became_something"),
        (
            "UPDATE orders_order SET state = 'completed', completed_at = paid_at",
            "escrow_is_empty_at_the_end",
        ),
        (
            "INSERT INTO payments_discrepancy (kind, gateway, trade_no, told_reference, amount_fen, currency,"
            " is_booked, found_at, settled_by, note) SELECT 'wrong_amount', 'sandbox', 'x', '', 5, 'CNY',"
            " true, started_at, '', '' FROM payments_payment",
            "suspense_is_explained",
        ),
    ],
)
def test_whoever_gets_past_the_triggers_is_found_by_the_audit(
    paid: Payment, alteration: str, promise: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in (
            "payments_payment",
            "payments_refund",
            "payments_gateway_notice",
            "orders_order",
        ):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(alteration)
    assert f"payments.{promise}" in make.broken()
