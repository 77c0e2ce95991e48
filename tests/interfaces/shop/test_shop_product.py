"""A product's page: limits, what is sold out, what became of the deliveries of the last month, following."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from liuke.base import clock
from liuke.catalog.models import BackWish, Follow
from liuke.interfaces.storefront.shop import product as page_module
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
    sheet,
    text,
    world,
)
from tests.interfaces.storefront.make import LI
from tests.orders import make as orders
from tests.orders.make import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_records() -> None:
    page_module._records.clear()


def test_at_most_so_many_in_one_order(shop: Shop, li: Client) -> None:
    few = orders.product(shop.merchant, stock=9, title="Few", per_order_max=2)
    two = li.get(address(few, n=2)).content.decode()
    assert 'max="2"' in two
    form, before = sheet(li, few), world()
    answer = li.post(
        address(few), {**form, "n": "3", "expected": "3000", "do": "pay", "way": "wallet"}
    )
    assert answer.status_code == 409
    assert "At most 2 of this in one order." in text(answer)
    assert world() == before


def test_at_most_so_many_for_one_member_and_none_for_guests(shop: Shop, li: Client) -> None:
    rare = orders.product(shop.merchant, stock=9, title="Rare", per_person_max=1)
    assert buy(li, rare, way="wallet").status_code == 302
    before = world()
    answer = buy(li, rare, way="wallet")
    assert answer.status_code == 409
    assert "At most 1 of this for one member; you have 1." in text(answer)
    guest = browser()
    refused = buy(guest, rare, way="sandbox")
    assert refused.status_code == 403
    assert "Sign in with your phone number to buy this." in text(refused)
    assert world() == before


@pytest.mark.parametrize("n", ["-1", "-99999999999", "99999999999999999999", "", None, "1e3", "２"])
def test_a_quantity_that_was_tampered_with_buys_nothing(
    shop: Shop, li: Client, n: str | None
) -> None:
    form = {**sheet(li, shop.coins), "do": "pay", "way": "wallet"}
    form.pop("n")
    before = world()
    answer = li.post(address(shop.coins), form if n is None else {**form, "n": n})
    assert (answer.status_code, world()) == (400, before)
    assert fields(answer)["n"] == "1"


def test_the_record_of_a_month_is_shown_from_twenty_deliveries_on(shop: Shop, li: Client) -> None:
    coins = orders.product(shop.merchant, stock=25, title="Many", price_fen=100)
    place = f"/shop/p/{coins.product.reference}/"
    buyer = orders.member()
    for _ in range(19):
        delivery.delivered(orders.order(coins, of=buyer))
    assert "Delivered in 30 days" not in text(li.get(place))
    page_module._records.clear()
    buy(li, coins, way="wallet")
    li.post(f"{page_of(last_order())}lines/1/reject/", {"reason": "does_not_work"})
    page = text(li.get(place))
    assert "Delivered in 30 days 20 As promised 100% Taken back 5%" in page
    page_module._records.clear()
    with clock.stopped_at(NOON + dt.timedelta(days=30, seconds=1)):
        assert "Delivered in 30 days" not in text(li.get(place)), "a month later it is forgotten"


def test_sold_out_one_asks_to_be_told_and_may_follow(shop: Shop, li: Client) -> None:
    gone = orders.product(shop.merchant, stock=0, title="Gone")
    place = f"/shop/p/{gone.product.reference}/"
    page = text(li.get(place))
    assert "Sold out" in page
    assert "Tell me when it is back" in page
    assert "Pay" not in page
    for _ in range(2):
        told = li.post(f"/shop/v/{gone.reference}/tell/", follow=True)
        assert "We will tell you once, as soon as it is back." in text(told)
    assert BackWish.objects.filter(person=member(LI)).count() == 1
    assert "Following" in text(li.post(f"{place}follow/", follow=True))
    listed = text(li.get("/shop/followed/"))
    assert listed.count("Gone") == 2
    li.post(f"{place}follow/", {"stop": "1"})
    assert not Follow.objects.exists()
    assert browser().post(f"{place}follow/")["Location"] == "/me/login/"
