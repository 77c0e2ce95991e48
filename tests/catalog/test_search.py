"""A title is found by its words, two of its letters, its initials or its pinyin."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from liuke.catalog import actions, queries, search_words
from liuke.catalog.models import Product
from liuke.merchants.models import Merchant
from tests.catalog import make
from tests.merchants import make as merchants

TITLES = {
    "原神": ("原神 创世结晶 648", "原神"),
    "铁道": ("崩坏：星穹铁道 古老梦华 3280", "崩铁"),
    "腾讯": ("腾讯视频 VIP 月卡", "影音"),
    "重庆": ("重庆加油卡 100元", ""),
    "王者": ("王者荣耀 点券 1000", "王者"),
    "Steam": ("Steam 充值码 50元（国区）", "Steam"),
}


@pytest.fixture
def shelf(db: None) -> dict[str, int]:
    """Products of one merchant by a short name."""
    merchant = merchants.merchant()
    return {
        name: make.product(merchant, title=title, subject=subject, is_listed=True).pk
        for name, (title, subject) in TITLES.items()
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("原神", {"原神"}),
        ("创世", {"原神"}),
        ("结晶", {"原神"}),
        ("晶", {"原神"}),
        ("原神648", {"原神"}),
        ("648 原神", {"原神"}),
        ("ysc", {"原神"}),
        ("YSCSJJ", {"原神"}),
        ("yuanshen", {"原神"}),
        ("xqtd", {"铁道"}),
        ("bhxqtd", {"铁道"}),
        ("星穹", {"铁道"}),
        ("bt", {"铁道"}),
        ("txsp", {"腾讯"}),
        ("vip", {"腾讯"}),
        ("ＶＩＰ", {"腾讯"}),
        ("cqjyk", {"重庆"}),
        ("zqjyk", {"重庆"}),
        ("wzry", {"王者"}),
        ("steam", {"Steam"}),
        ("国区 50", {"Steam"}),
        ("卡", {"腾讯", "重庆"}),
        ("1000", {"王者"}),
        ("原神 腾讯", set()),
        ("神原", set()),
        ("没有的东西", set()),
        ("%", set()),
        ("_", set()),
        ("！？", set()),
        ("'; DROP TABLE x;--", set()),
    ],
)
def test_what_is_typed_finds_what_is_meant(
    text: str, found: set[str], shelf: dict[str, int]
) -> None:
    named = {pk: name for name, pk in shelf.items()}
    assert {named[product.pk] for product in queries.search(text)} == found


def test_nothing_typed_shows_everything_the_best_sold_first(shelf: dict[str, int]) -> None:
    actions.count_sold(sold={shelf["王者"]: 5, shelf["腾讯"]: 9})
    found = [product.pk for product in queries.search("  ")]
    assert found[:2] == [shelf["腾讯"], shelf["王者"]]
    assert len(found) == len(TITLES)


def test_a_title_counts_more_than_what_was_sold(shelf: dict[str, int]) -> None:
    """`ka` stands in the pinyin of 卡, and in one title."""
    merchant = Merchant.objects.get()
    ka = make.product(merchant, title="KA 国际服", is_listed=True)
    actions.count_sold(sold={shelf["腾讯"]: 99})
    assert [p.pk for p in queries.search("ka")][0:2] == [ka.pk, shelf["腾讯"]]


def test_a_scene_and_a_merchant_narrow_the_search(shelf: dict[str, int]) -> None:
    other = make.product(
        merchants.merchant("别家"), title="原神 月卡", scene="films", is_listed=True
    )
    assert {p.pk for p in queries.search("原神")} == {shelf["原神"], other.pk}
    assert [p.pk for p in queries.search("原神", "films")] == [other.pk]
    assert [p.pk for p in queries.search("原神", merchant=other.merchant)] == [other.pk]


def test_the_lowest_listed_price_is_shown(db: None) -> None:
    product = make.product(is_listed=True)
    make.variant(product, "小", price=600)
    hidden = make.variant(product, "试", price=1)
    actions.set_variant_state(variant=hidden, is_listed=False, by=None)
    empty = make.product(product.merchant)
    found = {p.pk: p.from_fen for p in queries.search(is_for_members=False)}
    assert found == {product.pk: 600, empty.pk: None}


def test_long_and_many_words_are_cut(shelf: dict[str, int]) -> None:
    assert list(queries.search("原神 " * 1000)) != []
    assert list(queries.search("x" * 100_000)) == []


def test_grams_are_found_through_their_index(shelf: dict[str, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    having = Product.objects.filter(search_grams__contains=["创世"])
    assert "product_by_grams" in having.explain()


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_every_pair_of_a_text_is_among_its_grams(text: str) -> None:
    found = search_words.words(text)
    grams = search_words.grams(found)
    assert set(search_words.query_grams(found)) <= set(grams)
    assert search_words.words(" ".join(found)) == found


@given(st.text(alphabet="重行乐长都会石单大abc12 ，", max_size=80))
@settings(max_examples=60, deadline=None)
def test_texts_of_many_readings_stay_short(text: str) -> None:
    assert len(search_words.search_text([text])) <= len(text) * 8 * search_words.READINGS_MAX + 200
