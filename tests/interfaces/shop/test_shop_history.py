"""Who has seen a key: its owner reads all of it, before and after."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from liuke.base import clock
from liuke.catalog.actions import reveal_key
from tests.conftest import NOON
from tests.delivery import make as delivery
from tests.interfaces.shop.make import buy, last_order, page_of, text
from tests.orders.make import Shop
from tests.people import make as people

pytestmark = pytest.mark.django_db


def test_nobody_then_the_owner_then_the_shop_with_its_reason(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, way="wallet")
    order = last_order()
    (key,) = delivery.keys(order)
    place = f"{page_of(order)}lines/1/keys/1/"
    page = text(li.get(f"{place}history/"))
    assert "Nobody has seen it" in page
    assert f"key 1 · ends in {key.key.last_four}" in page

    li.post(f"{place}show/")
    with clock.stopped_at(NOON + dt.timedelta(minutes=5)):
        reveal_key(
            key_id=key.key_id, actor=people.agent(), role="agent", reason="the buyer asks", ip=""
        )
    shown = text(li.get(f"{place}history/"))
    assert "you 2026-03-15 12:00:00" in shown
    assert "2026-03-15 12:05:00 · the buyer asks" in shown
    assert "KEY-" not in shown, "the history of a key is not the key"


def test_each_key_has_a_history_of_its_own_and_keys_are_listed_masked(
    shop: Shop, li: Client
) -> None:
    buy(li, shop.coins, n="2", expected="2000", way="wallet")
    order = last_order()
    li.post(f"{page_of(order)}lines/1/keys/2/show/")
    assert "Nobody has seen it" in text(li.get(f"{page_of(order)}lines/1/keys/1/history/"))
    assert "Nobody has seen it" not in text(li.get(f"{page_of(order)}lines/1/keys/2/history/"))
    page = text(li.get("/shop/keys/"))
    first, second = delivery.keys(order)
    assert f"ends in {first.key.last_four}" in page
    assert f"ends in {second.key.last_four}" in page
    assert page.count("Not looked at") == 1
    assert "KEY-" not in page
