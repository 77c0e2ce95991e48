"""One order, from the tap to the merchant's money, as a member lives it."""

from __future__ import annotations

import datetime as dt

import pytest

from liuke.base import clock
from liuke.delivery.actions import (
    accept_delivery,
    accept_overdue,
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
from liuke.orders.models import Order
from liuke.orders.queries import lines_of, quote
from liuke.payments.actions import pay_from_wallet
from tests.conftest import NOON
from tests.delivery import make
from tests.membership import make as offers
from tests.orders import make as orders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


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

    # The wallet pays; the key is there at once, and what was paid waits in escrow.
    pay_from_wallet(order=order)
    deliver_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.state, make.wallet(lin), make.escrow(order)) == ("delivered", 4000, 1000)

    # Lin shows the key, uses it, and says that it works.
    (key,) = make.keys(order)
    text = reveal(key_id=key.pk, member=lin)
    assert str(text) == "••••"
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
    make.fill_wallet(lin, 1000)
    order = make.delivered(orders.order(shop.coins, of=lin))
    (key,) = make.keys(order)
    reveal(key_id=key.pk, member=lin)

    rejection = reject_delivery(line_id=make.line_id(order), member=lin, reason="does_not_work")

    order.refresh_from_db()
    key.refresh_from_db()
    assert (rejection.state, rejection.is_automatic, rejection.refunded_fen) == (
        "granted",
        True,
        1000,
    )
    assert (order.state, make.wallet(lin), make.escrow(order)) == ("refunded", 1000, 0)
    assert (key.key.state, make.earned(shop.merchant)) == ("bad", 0)
    dispatch_pending()
    assert membership.spend_of(lin.person_id).orders == 0
    assert make.broken() == {}


def test_the_first_ten_yuan_bring_five_yuan_of_coins_and_a_refund_takes_them_back() -> None:
    shop = orders.shop(price_fen=1000)
    gift = orders.product(shop.merchant, price_fen=500, stock=2, title="Gift coins")
    offers.first_order(gift)
    lin = orders.member()
    order = make.delivered(orders.order(shop.coins, of=lin))
    assert [(line.title, line.total_fen) for line in lines_of(order.pk)] == [
        ("Coins", 1000),
        ("Gift coins", 0),
    ]
    assert make.escrow(order) == 1500, "the site pays the merchant for the gift"
    first, present = make.keys(order)
    assert (
        reveal(key_id=first.pk, member=lin).reveal()
        != reveal(
            key_id=make.keys(make.delivered(orders.order(shop.coins)))[0].pk,
            member=Order.objects.latest("pk").member,
        ).reveal()
    )

    # Lin gives the ten yuan back, without having looked at the gift.
    reject_delivery(line_id=make.line_id(order), member=lin, reason="does_not_work")
    present.refresh_from_db()
    order.refresh_from_db()
    assert (order.state, present.key.state, make.wallet(lin)) == ("refunded", "revoked", 1000)
    assert make.escrow(order) == 0
    assert make.broken() == {}


def test_money_that_comes_after_the_goods_are_gone_goes_back_by_itself() -> None:
    shop = orders.shop(stock=1)
    slow, quick = orders.member(), orders.member()
    make.fill_wallet(slow, 1000)
    waiting = orders.order(shop.coins, of=slow)
    later = waiting.expires_at + dt.timedelta(seconds=1)
    with clock.stopped_at(later):
        assert expire_orders() == 1
        make.delivered(orders.order(shop.coins, of=quick))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.cancel_reason) == ("cancelled", "expired")
    assert make.broken() == {}
