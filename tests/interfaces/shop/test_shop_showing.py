"""What members see because it may fit them: their own lists with reasons, nothing sold out, and clicks that count."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from liuke.analytics.models import Alongside, Listed, Popular, Showing, Suggestion
from liuke.base import clock
from liuke.catalog.actions import edit_variant, hide_product
from liuke.catalog.models import CardKey, Variant
from liuke.interfaces.storefront.shop import home
from tests.interfaces.shop.make import browser, buy, last_order, page_of, text
from tests.interfaces.storefront.make import LI, WANG, member
from tests.orders import make as orders
from tests.orders.make import Shop

pytestmark = pytest.mark.django_db

HOME = "/shop/?scene=all"


@pytest.fixture
def pass_(shop: Shop) -> Variant:
    return orders.product(shop.merchant, title="Battle pass", price_fen=3000, subject="原神")


@pytest.fixture
def film(shop: Shop) -> Variant:
    return orders.product(shop.merchant, title="Film month", scene="films")


def suggest(number: str, slot: str, variant: Variant, reason: str, **more: object) -> None:
    """Put a product at the end of a member's list, as a night would."""
    who = member(number)
    place = Suggestion.objects.filter(person=who, slot=slot).count() + 1
    product = variant.product_id
    Suggestion.objects.create(
        person=who, slot=slot, place=place, product_id=product, reason=reason, **more
    )


def make_popular(*variants: Variant, scene: str = "", persons: int = 3) -> None:
    for at, variant in enumerate(variants, start=1):
        Popular.objects.create(
            scene=scene, place=at, product_id=variant.product_id, persons=persons
        )


def strips(client: Client, address: str = HOME) -> dict[str, list[tuple[str, str]]]:
    """Each list of a page by its slot: the titles with the words under them."""
    page = client.get(address).content.decode()
    found = {}
    for slot, inside in re.findall(r'<section data-from="(\w+)"(.*?)</section>', page, re.DOTALL):
        goods = re.findall(r'<h3>(.*?)</h3><p class="good-w">(.*?)</p>', inside)
        found[slot] = [(unescape(title), unescape(says)) for title, says in goods]
    return found


def links(client: Client, variant: Variant, address: str = HOME) -> list[str]:
    """The links of the lists to a product, to its page first."""
    page = client.get(address).content.decode()
    found = re.findall(rf'href="(/shop/p/{variant.product.reference}/[^"]*[?;]s=[^"]+)"', page)
    return [unescape(each) for each in found]


def sell_out(variant: Variant) -> None:
    free = CardKey.objects.filter(variant=variant, state="free")
    free.update(state="bad", ended_at=clock.now(), why_ended="x")


def test_each_member_sees_their_own_lists_with_the_reasons(
    shop: Shop, li: Client, wang: Client, pass_: Variant, film: Variant
) -> None:
    suggest(LI, "rebuy", shop.coins, "bought_often", times=3)
    suggest(LI, "discover", pass_, "subject", times=2)
    suggest(LI, "discover", film, "goes_with", because_id=shop.coins.product_id)
    suggest(WANG, "discover", film, "viewed", times=1)
    assert strips(li) == {
        "rebuy": [("Coins", "You bought it 3 times")],
        "discover": [
            ("Battle pass", "You often buy 原神"),
            ("Film month", "Who bought Coins bought this too"),
        ],
    }
    assert strips(wang) == {"discover": [("Film month", "You looked at it lately")]}
    assert strips(browser()) == {}


def test_who_has_no_lists_sees_what_many_buy_in_their_scene_first(
    shop: Shop, li: Client, pass_: Variant, film: Variant
) -> None:
    make_popular(shop.coins, pass_)
    make_popular(film, scene="films", persons=1)
    everywhere = [
        ("Coins", "Many buy it this week"),
        ("Battle pass", "Many buy it this week"),
    ]
    assert strips(li) == {"popular": everywhere}
    li.cookies["scene"] = "films"
    assert strips(li, "/shop/") == {
        "popular": [("Film month", "Much bought in Films and music"), *everywhere]
    }


def test_nothing_sold_out_or_withdrawn_is_shown(
    shop: Shop, li: Client, pass_: Variant, film: Variant
) -> None:
    make_popular(film, pass_)
    for variant in (shop.coins, pass_, film):
        suggest(LI, "discover", variant, "viewed")
    assert [title for title, _ in strips(li)["discover"]] == ["Coins", "Battle pass", "Film month"]
    sell_out(shop.coins)
    hide_product(product=film.product, by=None)
    home.forget()
    assert strips(li) == {"discover": [("Battle pass", "You looked at it lately")]}
    sell_out(pass_)
    home.forget()
    assert strips(li) == {}


def test_followed_products_come_first_when_they_are_cheaper_or_back(
    shop: Shop, li: Client, pass_: Variant, film: Variant
) -> None:
    suggest(LI, "followed", shop.coins, "followed_cheaper", was_fen=1000)
    suggest(LI, "followed", film, "followed_back", was_fen=1000)
    suggest(LI, "rebuy", pass_, "bought_often", times=1)
    assert list(strips(li)) == ["followed", "rebuy"]
    assert strips(li)["followed"] == [("Film month", "You follow it: it is back")]
    edit_variant(variant=shop.coins, name="60", price_fen=750, by=None)
    sell_out(film)
    home.forget()
    assert strips(li) == {
        "followed": [("Coins", "You follow it: ¥2.50 cheaper now")],
        "rebuy": [("Battle pass", "You bought it before")],
    }


def test_a_product_stands_in_one_list_only_and_not_below_buy_again(
    shop: Shop, li: Client, pass_: Variant
) -> None:
    buy(li, shop.coins, way="wallet")
    suggest(LI, "rebuy", shop.coins, "bought_often", times=1)
    suggest(LI, "rebuy", pass_, "bought_often", times=1)
    suggest(LI, "discover", pass_, "viewed")
    assert strips(li) == {"rebuy": [("Battle pass", "You bought it before")]}


def test_who_says_no_sees_what_many_buy_at_once_and_nothing_is_counted(
    shop: Shop, li: Client, pass_: Variant
) -> None:
    suggest(LI, "discover", pass_, "viewed")
    make_popular(shop.coins)
    strips(li)
    assert Showing.objects.count() == 1
    li.post("/me/privacy/", {"is_given": "no"})
    assert strips(li) == {"popular": [("Coins", "Many buy it this week")]}
    assert not Showing.objects.exists()
    assert not Suggestion.objects.exists()
    assert links(li, shop.coins) == []


def test_a_browser_that_asks_for_no_notes_gets_lists_and_no_marks(
    shop: Shop, li: Client, pass_: Variant
) -> None:
    suggest(LI, "discover", pass_, "viewed")
    page = li.get(HOME, headers={"dnt": "1"}).content.decode()
    assert "You looked at it lately" in page
    assert "?s=" not in page
    assert not Showing.objects.exists()


def test_what_is_shown_is_written_once_a_day_and_asks_one_query_more(
    shop: Shop, li: Client, pass_: Variant
) -> None:
    suggest(LI, "discover", pass_, "viewed")
    li.get(HOME)
    row = Showing.objects.get()
    assert (row.slot, row.products, row.reasons) == ("discover", [pass_.product_id], ["viewed"])
    with CaptureQueriesContext(
        connection,
    ) as again:
        li.get(HOME)
    asked = [query["sql"] for query in again if "analytics_" in query["sql"]]
    assert len(asked) == 1
    assert "analytics_suggestion" in asked[0]


def test_a_click_is_counted_for_the_member_whose_list_it_was(
    shop: Shop, li: Client, wang: Client, pass_: Variant, film: Variant
) -> None:
    suggest(LI, "discover", pass_, "viewed")
    suggest(WANG, "discover", pass_, "viewed")
    to_page, to_sheet = links(li, pass_)
    strips(wang)
    wang.get(to_page)
    forged = re.sub(r"(?<=-)\w", "!", to_page)
    li.get(forged)
    li.get(to_page.replace(pass_.product.reference, film.product.reference))
    li.get(to_page, headers={"sec-purpose": "prefetch"})
    browser().get(to_page)
    assert list(Showing.objects.values_list("clicks", flat=True)) == [[], []]
    assert li.get(to_sheet).status_code == 200
    li.get(to_page)
    assert Showing.objects.get(person=member(LI)).clicks == [pass_.product_id]
    assert Showing.objects.get(person=member(WANG)).clicks == []


@pytest.mark.parametrize(("days", "is_counted"), [(7, True), (8, False)])
def test_a_mark_lasts_as_long_as_a_purchase_is_attributed(
    shop: Shop, li: Client, pass_: Variant, days: int, is_counted: bool
) -> None:
    suggest(LI, "discover", pass_, "viewed")
    to_page, _ = links(li, pass_)
    with clock.stopped_at(clock.now() + dt.timedelta(days=days)):
        li.get(to_page)
    assert Showing.objects.get().clicks == ([pass_.product_id] if is_counted else [])


@pytest.mark.parametrize("mark", ["", "d", "d1", "-", "x1-0", "d-", "d²-a", "d99999999-a", "d1-"])
def test_a_mark_that_is_none_changes_nothing(shop: Shop, li: Client, mark: str) -> None:
    reference = shop.product.reference
    assert li.get(f"/shop/p/{reference}/", {"s": mark}).status_code == 200
    assert not Showing.objects.exists()


def test_an_order_shows_what_goes_with_it_once_it_is_paid(
    shop: Shop, li: Client, pass_: Variant, film: Variant
) -> None:
    Alongside.objects.create(product=shop.product, place=1, other=pass_.product)
    make_popular(film)
    buy(li, shop.coins, way="wallet")
    page = page_of(last_order())
    assert strips(li, page) == {"alongside": [("Battle pass", "Who bought Coins bought this too")]}
    assert Showing.objects.get().slot == "alongside"


def test_who_is_held_out_sees_on_an_order_what_many_buy(
    shop: Shop, li: Client, pass_: Variant, film: Variant
) -> None:
    Alongside.objects.create(product=shop.product, place=1, other=pass_.product)
    make_popular(film)
    Listed.objects.create(
        person=member(LI), since=clock.now(), is_held_out=True, share_permyriad=500
    )
    buy(li, shop.coins, way="wallet")
    assert strips(li, page_of(last_order())) == {
        "popular": [("Film month", "Many buy it this week")]
    }


def test_what_a_member_was_shown_is_in_their_data(shop: Shop, li: Client, pass_: Variant) -> None:
    suggest(LI, "discover", pass_, "viewed")
    strips(li)
    told = li.get("/me/preferences/file/").json()
    assert '"slot": "discover"' in str(told).replace("'", '"')


def test_a_search_and_a_second_page_show_no_lists(shop: Shop, li: Client, pass_: Variant) -> None:
    suggest(LI, "discover", pass_, "viewed")
    for address in ("/shop/?q=coins", "/shop/?scene=games&page=2"):
        assert strips(li, address) == {}
    assert "Battle pass" in text(li.get(HOME))
