"""The wallet: what is in it, how it got there, coupons and the level; one's own alone."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client

from liuke.base import clock
from tests.conftest import NOON
from tests.delivery import make as delivery
from tests.interfaces.shop.make import (
    address,
    browser,
    buy,
    fields,
    last_order,
    member,
    page_of,
    text,
    world,
)
from tests.interfaces.storefront.make import LI, WANG
from tests.membership import make as membership
from tests.orders.make import Shop

pytestmark = pytest.mark.django_db


def test_every_movement_is_named_and_leads_to_its_order(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, way="wallet")
    order = last_order()
    li.post(f"{page_of(order)}lines/1/reject/", {"reason": "does_not_work"})
    answer = li.get("/shop/wallet/")
    page = text(answer)
    assert "Balance ¥ 100 " in page
    assert page.index("Money back 12:00 +¥10.00") < page.index("Paid an order 12:00 −¥10.00")
    assert "Booked by the shop 12:00 +¥100.00" in page
    assert answer.content.decode().count(f'href="{page_of(order)}"') == 2


def test_a_wallet_is_ones_own(shop: Shop, li: Client, wang: Client) -> None:
    buy(li, shop.coins, way="wallet")
    page = text(wang.get("/shop/wallet/"))
    assert "Balance ¥ 0 " in page
    assert "Nothing yet." in page
    assert browser().get("/shop/wallet/")["Location"] == "/me/login/?next=%2Fshop%2Fwallet%2F"


def test_coupons_are_listed_until_they_end(shop: Shop, li: Client) -> None:
    membership.coupon(member(LI), name="Five off")
    page = text(li.get("/shop/wallet/"))
    assert "Five off from ¥20.00 · until Mar" in page
    assert "−¥5.00" in page
    with clock.stopped_at(NOON + dt.timedelta(days=7, seconds=1)):
        assert "None at the moment." in text(li.get("/shop/wallet/"))


def test_somebody_elses_coupon_takes_nothing_off(shop: Shop, li: Client, wang: Client) -> None:
    coupon = membership.coupon(member(WANG), min_spend_fen=0)
    form = {**fields(li.get(address(shop.coins))), "do": "pay", "way": "wallet"}
    for expected in ("500", "1000"):
        before = world()
        told = {**form, "coupon": coupon.reference, "expected": expected}
        assert li.post(address(shop.coins), told).status_code in (404, 409), expected
        assert world() == before
    coupon.refresh_from_db()
    assert coupon.state == "free"


def test_a_members_file_has_orders_payments_and_deliveries_and_no_key(
    shop: Shop, li: Client, wang: Client
) -> None:
    buy(li, shop.coins, way="wallet")
    order = last_order()
    li.post(f"{page_of(order)}lines/1/reject/", {"reason": "wrong_item", "note": "another game"})
    answer = li.get("/me/preferences/file/")
    told = json.loads(answer.content)
    assert [each["number"] for each in told["orders"]] == [order.reference]
    (payment,) = told["payments"]
    assert (payment["order"], payment["gateway"], payment["amount_fen"]) == (
        order.reference,
        "wallet",
        1000,
    )
    assert [back["amount_fen"] for back in payment["refunds"]] == [1000]
    (handed,) = told["delivery"]["deliveries"]
    assert (handed["order"], handed["state"]) == (order.reference, "returned")
    (key,) = handed["keys"]
    assert key["ends_in"] == delivery.keys(order)[0].key.last_four
    assert [each["note"] for each in told["delivery"]["rejections"]] == ["another game"]
    assert "KEY-" not in answer.content.decode()
    assert json.loads(wang.get("/me/preferences/file/").content)["orders"] == []
