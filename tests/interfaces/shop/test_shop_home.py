"""The first page: the same for everybody but the price of a level, the last thing bought, and new messages."""

from __future__ import annotations

import gzip
import threading
from typing import Any

import pytest
from django.test import Client

from liuke.catalog.actions import edit_variant, hide_product
from liuke.interfaces.storefront.shop import home, kept
from liuke.interfaces.storefront.shop.kept import Kept
from liuke.membership.queries import levels
from tests.interfaces.shop.make import browser, buy, last_order, page_of, text
from tests.interfaces.storefront.make import LI, member
from tests.membership.make import spend
from tests.orders import make as orders
from tests.orders.make import Shop

EVERYTHING, GAMES = "/shop/?scene=all", "/shop/?scene=games"


# What is shown ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_member_sees_the_price_of_their_level_and_others_the_full_one(
    shop: Shop, li: Client, wang: Client
) -> None:
    dear = orders.product(shop.merchant, price_fen=10_000, title="Dear")
    top = levels()[-1]
    spend(member(LI), top.spent_from_fen, *[100] * top.orders_from)
    assert top.pays_percent < 100
    cheap = f"¥{dear.price_fen * top.pays_percent // 10_000}"
    for address in (EVERYTHING, GAMES, "/shop/?q=Dear"):
        assert cheap in text(li.get(address)).replace(" ", ""), address
        for other in (wang, browser()):
            page = text(other.get(address)).replace(" ", "")
            assert "¥100" in page, address
            assert cheap not in page, address


@pytest.mark.django_db
def test_what_is_sold_out_says_so_and_has_no_button(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, way="wallet", n="5", expected="5000")
    assert last_order().state == "delivered"
    home.forget()
    for client in (li, browser()):
        page = client.get(GAMES).content.decode()
        shelf = page[page.index('<ul class="goods">') :]
        assert "Sold out" in shelf
        assert "/buy/" not in shelf


@pytest.mark.django_db
def test_a_new_price_is_in_the_list_as_soon_as_what_was_kept_is_old(
    shop: Shop, li: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept.time, "monotonic", lambda: moment)
    moment = 1000.0
    home.forget()
    assert "¥ 10" in text(li.get(GAMES))
    edit_variant(variant=shop.coins, name="60", price_fen=1200, by=None)
    moment += 4
    assert "¥ 10" in text(li.get(GAMES))
    moment += 60
    for client in (li, browser()):
        assert "¥ 12" in text(client.get(GAMES))
        assert "¥ 10" not in text(client.get(GAMES))


@pytest.mark.django_db
def test_what_waits_to_be_paid_comes_before_what_was_bought(shop: Shop, li: Client) -> None:
    assert "Buy again" not in text(li.get(EVERYTHING))
    other = orders.product(shop.merchant, title="Stars")
    buy(li, shop.coins, way="sandbox")
    unpaid = last_order()
    buy(li, other, way="wallet")
    page = li.get(EVERYTHING)
    assert f'href="{page_of(unpaid)}"' in page.content.decode()
    assert "Buy again" not in text(page)
    li.post(f"{page_of(unpaid)}cancel/")
    page = li.get(EVERYTHING)
    assert "Buy again" in text(page)
    assert (
        f"/shop/p/{other.product.reference}/buy/?v={other.reference}&amp;n=1"
        in page.content.decode()
    )
    hide_product(product=other.product, by=None)
    assert "Buy again" not in text(li.get(EVERYTHING))


@pytest.mark.django_db
def test_nobody_is_offered_what_somebody_else_bought(shop: Shop, li: Client, wang: Client) -> None:
    buy(li, shop.coins, way="wallet")
    assert "Buy again" in text(li.get(EVERYTHING))
    for other in (wang, browser()):
        assert "Buy again" not in text(other.get(EVERYTHING))


@pytest.mark.django_db
def test_a_page_for_everybody_is_kept_apart_by_language_theme_and_scene(shop: Shop) -> None:
    client = browser()
    english = client.get(EVERYTHING)
    assert (english["Cache-Control"].split(",")[0], english["Vary"]) == (
        "max-age=0",
        "Accept-Encoding, Cookie, Accept-Language",
    )
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get(EVERYTHING).content.decode()
    client.cookies["lang"] = "zh-hans"
    assert 'lang="zh-Hans"' in client.get(EVERYTHING).content.decode()
    assert 'lang="en"' in browser().get(EVERYTHING).content.decode()
    assert "Nothing here yet" not in text(browser().get(GAMES))


@pytest.mark.django_db
def test_packed_and_plain_are_the_same_page(shop: Shop) -> None:
    packed = browser().get(EVERYTHING, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == browser().get(EVERYTHING).content


@pytest.mark.django_db
def test_the_list_costs_a_member_few_questions(
    shop: Shop, li: Client, django_assert_num_queries: Any
) -> None:
    buy(li, shop.coins, way="wallet")
    li.get(GAMES)
    # session, member, level, what to buy again, their lists, new messages
    with django_assert_num_queries(6):
        li.get(GAMES)
    browser().get(GAMES)
    with django_assert_num_queries(0):
        browser().get(GAMES)


# What is kept -------------------------------------------------------------------------------------


def test_the_first_who_finds_it_too_old_makes_it_anew_and_the_others_do_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = 0.0
    monkeypatch.setattr(kept.time, "monotonic", lambda: moment)
    values: Kept[str] = Kept(5)
    assert values.get("a", lambda: "old") == "old"
    moment = 6.0
    is_making, may_end = threading.Event(), threading.Event()

    def slow() -> str:
        is_making.set()
        may_end.wait(10)
        return "new"

    maker = threading.Thread(target=lambda: values.get("a", slow))
    maker.start()
    assert is_making.wait(10)
    assert values.get("a", lambda: "never made") == "old"
    may_end.set()
    maker.join(10)
    assert values.get("a", lambda: "never made") == "new"


def test_what_is_much_too_old_is_shown_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    monkeypatch.setattr(kept.time, "monotonic", lambda: moment)
    values: Kept[str] = Kept(5)
    values.get("a", lambda: "old")
    moment = 11.0

    def both() -> str:
        return values.get("a", lambda: "the other's")

    assert values.get("a", both) == "the other's"


def test_only_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    values: Kept[int] = Kept(5)
    for key in (1, 2, 1, 3):
        values.get(key, lambda key=key: key)  # type: ignore[misc]
    assert values.get(1, lambda: 0) == 1
    assert values.get(2, lambda: 0) == 0
