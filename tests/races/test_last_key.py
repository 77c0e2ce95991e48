"""Fifty orders were paid, and one key is left: one gets it, the money of the others goes back by itself."""

from __future__ import annotations

from collections import Counter

import pytest

from liuke.catalog.actions import release_hold, revoke_key
from liuke.catalog.models import CardKey
from liuke.delivery.actions import deliver_order
from liuke.delivery.models import DeliveredKey
from liuke.orders.models import Order
from liuke.payments.actions import pay_from_wallet
from tests.delivery import make as delivery
from tests.orders import make
from tests.races.crowd import crowd, outcomes

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("noon"),
]
CROWD = 50


def test_of_fifty_paid_orders_for_one_key_one_is_delivered_and_the_rest_refunded() -> None:
    shop = make.shop(stock=CROWD)
    orders = [make.order(shop.coins) for _ in range(CROWD)]
    for order in orders:
        delivery.fill_wallet(order.member, 1000)
        release_hold(token=order.reference)  # as when the money comes too late
    for key in CardKey.objects.order_by("id")[1:]:
        revoke_key(key_id=key.pk, why="a test")

    def pay(number: int) -> bool:
        pay_from_wallet(order=orders[number])
        return deliver_order(order_id=orders[number].pk)

    got = crowd(pay, CROWD)
    assert outcomes(got) == {"bool": CROWD}, [each for each in got if not isinstance(each, bool)][
        :3
    ]
    assert Counter(got) == {True: 1, False: CROWD - 1}
    states = Counter(Order.objects.values_list("state", flat=True))
    assert states == {"delivered": 1, "refunded": CROWD - 1}
    assert DeliveredKey.objects.count() == 1
    assert sum(delivery.wallet(order.member) for order in orders) == 1000 * (CROWD - 1)
    assert delivery.broken() == {}
