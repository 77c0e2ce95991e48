"""One order, from the tap to the merchant's money, as a member lives it; and every way in which it goes otherwise."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from liuke.base import clock
from liuke.delivery.actions import (
    accept_delivery,
    accept_overdue,
    deliver_by_hand,
    deliver_order,
    mark_tried,
    reject_delivery,
    reveal,
)
from liuke.delivery.queries import deliveries_of
from liuke.events.dispatcher import dispatch_pending
from liuke.ledger import accounts
from liuke.ledger.queries import balance_fen
from liuke.membership import queries as membership
from liuke.orders.actions import expire_orders, place_order
from liuke.orders.errors import UnknownOrder
from liuke.orders.queries import lines_of, order_of, quote
from liuke.payments import gateways
from liuke.payments.actions import pay_from_wallet, send_refunds, start_payment
from liuke.payments.gateways import outbound
from tests.catalog.make import left
from tests.conftest import NOON
from tests.delivery import make
from tests.membership import make as offers
from tests.orders import make as orders
from tests.payments import make as payments
from tests.payments.make import Play

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


@pytest.fixture
def gateway(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Play:
    """A gateway with a pay page, in the hands of this test."""
    settings.LIUKE_GATEWAYS = ("wallet", "sandbox")
    play = payments.play(tmp_path / "sandbox", payments.make_keys(tmp_path))
    monkeypatch.setitem(gateways._KNOWN, "sandbox", lambda: play.adapter)
    monkeypatch.setattr(outbound, "call", play.call)
    return play


def test_a_member_buys_looks_tries_and_is_content() -> None:
    shop = orders.shop(price_fen=1000, stock=3, fee_permyriad=300)
    lin = orders.member("13800138000")
    make.fill_wallet(lin, 5000)

    # Lin looks at the price, agrees, and taps twice.
    told = quote(person_id=lin.person_id, wants=[(shop.coins.reference, 1)], at=clock.now())
    assert [(step.kind, step.amount_fen) for step in told.lines[0].steps] == [("list", 1000)]
    tap = {
        "member": lin,
        "wants": [(shop.coins.reference, 1)],
        "form": {},
        "key": "the form of this page",
        "expected_fen": told.payable_fen,
    }
    order = place_order(**tap)
    assert place_order(**tap) == order
    assert left(shop.coins) == 2, "one key is kept for Lin"

    # The wallet pays; the key is there at once, and what was paid waits in escrow.
    pay_from_wallet(order=order)
    deliver_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.state, make.wallet(lin), make.escrow(order)) == ("delivered", 4000, 1000)

    # Nobody else finds the order. Lin shows the key, uses it, and says that it works.
    with pytest.raises(UnknownOrder):
        order_of(orders.member().person_id, order.reference)
    (key,) = make.keys(order)
    text = reveal(key_id=key.pk, member=lin)
    assert str(text) == "••••", "it does not slip into a log"
    assert text.reveal().startswith("KEY-")
    mark_tried(key_id=key.pk, member=lin)
    accept_delivery(line_id=make.line_id(order), member=lin)

    # The merchant has the money, less three in a hundred; Lin's spend is known.
    order.refresh_from_db()
    assert (order.state, make.escrow(order), make.earned(shop.merchant)) == ("completed", 0, 970)
    assert balance_fen(accounts.platform_fee()) == 30
    dispatch_pending()
    spend = membership.spend_of(lin.person_id)
    assert (spend.orders, spend.spent_fen) == (1, 1000)
    assert make.broken() == {}


def test_who_says_nothing_is_content_after_three_days() -> None:
    shop = orders.shop(accept_days=3)
    order = make.delivered(orders.order(shop.coins))

    with clock.stopped_at(NOON + dt.timedelta(days=3) - dt.timedelta(seconds=1)):
        assert accept_overdue() == 0
    with clock.stopped_at(NOON + dt.timedelta(days=3)):
        assert accept_overdue() == 1
        assert accept_overdue() == 0

    (delivery,) = deliveries_of(order.pk)
    assert delivery.is_accepted_by_time
    assert make.earned(shop.merchant) == 970
    assert make.broken() == {}


def test_a_key_that_does_not_work_brings_the_money_back() -> None:
    shop = orders.shop(price_fen=1000)
    lin = orders.member()
    order = make.delivered(orders.order(shop.coins, of=lin))
    (key,) = make.keys(order)
    reveal(key_id=key.pk, member=lin)

    rejection = reject_delivery(line_id=make.line_id(order), member=lin, reason="does_not_work")

    assert (rejection.state, rejection.is_automatic) == ("granted", True)
    assert rejection.refunded_fen == 1000
    order.refresh_from_db()
    assert (order.state, make.wallet(lin), make.escrow(order)) == ("refunded", 1000, 0)
    key.refresh_from_db()
    assert (key.key.state, make.earned(shop.merchant)) == ("bad", 0)
    dispatch_pending()
    assert membership.spend_of(lin.person_id).orders == 0
    assert make.broken() == {}


def test_what_is_made_by_hand_is_waited_for_and_given_back_when_it_is_late() -> None:
    shop, lin = orders.shop(), orders.member()
    credit = orders.product(
        shop.merchant, kind="top_up", title="Phone credit", scene="phone", arrival_minutes=30
    )
    in_time = make.delivered(orders.order(credit, of=lin))
    late = make.delivered(orders.order(credit, of=lin))
    assert (in_time.state, late.state) == ("paid", "paid"), "somebody has to do it"

    with clock.stopped_at(NOON + dt.timedelta(minutes=20)):
        deliver_by_hand(line_id=make.line_id(in_time), note="Topped up", by=None)
        accept_delivery(line_id=make.line_id(in_time), member=lin)
    with clock.stopped_at(NOON + dt.timedelta(minutes=31)):
        reject_delivery(line_id=make.line_id(late), member=lin, reason="too_late")

    in_time.refresh_from_db()
    late.refresh_from_db()
    assert (in_time.state, late.state) == ("completed", "refunded")
    assert (make.wallet(lin), make.earned(shop.merchant)) == (1000, 970)
    assert make.broken() == {}


def test_the_first_ten_yuan_bring_five_yuan_of_coins_and_a_refund_takes_them_back() -> None:
    shop = orders.shop(price_fen=1000)
    gift = orders.product(shop.merchant, price_fen=500, stock=2, title="Gift coins")
    offers.first_order(gift)
    lin = orders.member()

    order = make.delivered(orders.order(shop.coins, of=lin))
    told = [(line.title, line.total_fen) for line in lines_of(order.pk)]
    assert told == [("Coins", 1000), ("Gift coins", 0)]
    assert make.escrow(order) == 1500, "the site pays the merchant for the gift"

    # Lin gives the ten yuan back, without having looked at the gift.
    reject_delivery(line_id=make.line_id(order), member=lin, reason="does_not_work")
    order.refresh_from_db()
    _, present = make.keys(order)
    assert (order.state, present.key.state, make.wallet(lin)) == ("refunded", "revoked", 1000)
    assert make.escrow(order) == 0
    assert make.broken() == {}


def test_money_that_comes_after_the_goods_are_gone_goes_back_by_itself(gateway: Play) -> None:
    shop = orders.shop(price_fen=1000, stock=1)
    slow, quick = orders.member(), orders.member()

    # The last key is kept for the slow one, who opens the gateway's page and is called away.
    order = orders.order(shop.coins, of=slow)
    payment = start_payment(order=order, gateway="sandbox")

    # Their minutes pass; the key goes to the quick one.
    with clock.stopped_at(order.expires_at + dt.timedelta(seconds=1)):
        assert expire_orders() == 1
        bought = make.delivered(orders.order(shop.coins, of=quick))
        assert (bought.state, left(shop.coins)) == ("delivered", 0)

        # Only now the slow one pays. There is nothing to hand over, so the money turns round.
        gateway.pay_late(payment)
        gateway.tell()
        payment.refresh_from_db()
        order.refresh_from_db()
        assert (payment.state, order.state, order.cancel_reason) == ("paid", "cancelled", "expired")
        assert payments.due(order) == 1000, "owed to the slow one, and to nobody else"
        assert send_refunds() == 1

    payment.refresh_from_db()
    assert (payment.refunded_fen, payments.due(order), payments.escrow(order)) == (1000, 0, 0)
    assert make.keys(order) == []
    assert make.broken() == {}
