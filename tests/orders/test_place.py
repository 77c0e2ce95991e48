"""Placing an order: the price is the server's, the stock is held, limits hold."""

from __future__ import annotations

import datetime as dt

import pytest

from liuke.base.audit import check
from liuke.catalog.models import CardKey
from liuke.membership.queries import invariants as of_membership
from liuke.orders import queries
from liuke.orders.models import Line
from tests.orders import make

pytestmark = pytest.mark.django_db


def audit() -> dict[str, int]:
    found = [check(promise) for promise in (*queries.invariants(), *of_membership())]
    return {each.invariant.name: each.violations for each in found if each.violations}


def test_an_order_fixes_the_price_and_holds_the_stock(noon: dt.datetime) -> None:
    shop = make.shop(price_fen=1000, stock=3)
    order = make.order(shop.coins, 2)
    assert (order.state, order.payable_fen, order.goods_fen, order.subsidy_fen) == (
        "placed",
        2000,
        2000,
        0,
    )
    assert order.expires_at == noon + dt.timedelta(minutes=15)
    line = Line.objects.get(order=order)
    assert (line.title, line.variant_name, line.quantity, line.total_fen) == (
        "Coins",
        "60",
        2,
        2000,
    )
    assert line.steps == [["list", "", 2000]]
    assert CardKey.objects.filter(state="held").count() == 2
    assert audit() == {}
