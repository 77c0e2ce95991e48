"""Products and variants: described within bounds, priced in whole minor units, offered or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.catalog import actions, queries
from liuke.catalog.errors import (
    BadBundle,
    BadChoice,
    BadNumber,
    BadOrderForm,
    BadQuantityPrices,
    BadText,
    NotCounted,
    NothingToSell,
    OutOfStock,
    SceneTaken,
    TextTooLong,
    UnknownProduct,
    UnknownScene,
    UnknownVariant,
    VariantNameTaken,
    WrongStockKind,
)
from liuke.catalog.models import Product, Scene, Variant
from liuke.catalog.rules import unit_price
from liuke.events.models import Event
from liuke.merchants.actions import close_merchant, pause_merchant
from liuke.people.models import Login, StaffAct
from tests.catalog import make
from tests.merchants import make as merchants

pytestmark = pytest.mark.django_db


def about(**more: Any) -> actions.About:
    return actions.About(scene=queries.scene_named("games"), title="原神 648", **more)


def refused(statement: str, *given: object) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, given)
    except IntegrityError:
        return True
    return False


# Products -----------------------------------------------------------------------------------------


def test_a_product_is_a_draft_until_it_is_listed(operator: Login) -> None:
    merchant = merchants.merchant()
    product = actions.make_product(
        merchant=merchant, kind="card_key", about=about(subject="原神"), by=operator
    )
    assert (product.state, product.sold_count) == ("draft", 0)
    with pytest.raises(NothingToSell):
        actions.list_product(product=product, by=operator)
    assert Product.objects.get().state == "draft"
    make.variant(product)
    with pytest.raises(UnknownProduct):
        queries.product_page(product.reference)
    actions.list_product(product=product, by=operator)
    page = queries.product_page(product.reference.lower())
    assert [offer.variant.name for offer in page.offers] == ["标准版"]
    actions.hide_product(product=product, by=operator)
    with pytest.raises(UnknownProduct):
        queries.product_page(product.reference)
    verbs = StaffAct.objects.filter(about=product.reference, by=operator).order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == [
        "product.make",
        "product.list",
        "product.hide",
    ]


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"source_kind": "stolen"}, BadChoice),
        ({"subject": "长" * 41}, TextTooLong),
        ({"body": "x" * 5001}, TextTooLong),
        ({"subtitle": "a\x00b"}, TextTooLong),
        ({"arrival_minutes": -1}, BadNumber),
        ({"arrival_minutes": 43_201}, BadNumber),
        ({"accept_days": 91}, BadNumber),
        ({"per_order_max": 0}, BadNumber),
        ({"per_person_max": 10_001}, BadNumber),
        ({"order_form": [{"key": "A"}]}, BadOrderForm),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    more: dict[str, Any], refusal: type[Exception]
) -> None:
    merchant, product = merchants.merchant("甲"), make.product()
    before = Product.objects.values().get()
    with pytest.raises(refusal):
        actions.make_product(merchant=merchant, kind="card_key", about=about(**more), by=None)
    with pytest.raises(refusal):
        actions.edit_product(product=product, about=about(**more), by=None)
    assert Product.objects.values().get() == before


@pytest.mark.parametrize("title", ["", "   ", "a\nb", "\x07"])
def test_a_product_has_a_title_of_one_line(title: str) -> None:
    with pytest.raises((BadText, TextTooLong)):
        make.product(title=title)
    assert Product.objects.count() == 0


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(BadChoice):
        make.product(kind="gold")


def test_editing_changes_what_is_said_and_found() -> None:
    product = make.product(title="原神", is_listed=True)
    edited = actions.edit_product(
        product=product, about=replace(about(), title="崩坏 星穹铁道"), by=None
    )
    assert (edited.title, edited.state) == ("崩坏 星穹铁道", "listed")
    assert [p.pk for p in queries.search("星穹")] == [product.pk]
    assert list(queries.search("原神")) == []


def test_a_product_keeps_its_merchant_and_kind() -> None:
    product, other = make.product(), merchants.merchant("别家")
    assert refused("UPDATE catalog_product SET merchant_id = %s", other.pk)
    assert refused("UPDATE catalog_product SET kind = 'top_up'")
    product.refresh_from_db()
    assert product.kind == "card_key"


def test_what_a_paused_or_closed_merchant_sells_is_not_offered() -> None:
    product = make.product(is_listed=True)
    assert list(queries.search()) == [product]
    pause_merchant(reference=product.merchant.reference, by=None)
    assert list(queries.search()) == []
    assert list(queries.search(is_for_members=False)) == [product]
    close_merchant(reference=product.merchant.reference, by=None)
    with pytest.raises(UnknownProduct):
        queries.product_page(product.reference)


def test_references_are_found_however_typed_and_only_within_a_merchant() -> None:
    product = make.product()
    variant = make.variant(product)
    other = merchants.merchant("别家")
    assert queries.product_by_reference(f" {product.reference.lower()} ") == product
    assert queries.variant_by_reference(variant.reference, product.merchant) == variant
    for text in ("", "XXXX", variant.reference, "%' OR 1=1"):
        with pytest.raises(UnknownProduct):
            queries.product_by_reference(text)
    with pytest.raises(UnknownProduct):
        queries.product_by_reference(product.reference, other)
    with pytest.raises(UnknownVariant):
        queries.variant_by_reference(variant.reference, other)


def test_what_was_sold_is_counted_up_and_down_but_never_below_nothing() -> None:
    one, two = make.product(), make.product(merchants.merchant("别家"))
    actions.count_sold(sold={one.pk: 3, two.pk: 1})
    actions.count_sold(sold={one.pk: -1, two.pk: -2})
    counts = Product.objects.order_by("id").values_list("sold_count", flat=True)
    assert list(counts) == [2, 1]


# Variants -----------------------------------------------------------------------------------------


def test_prices_are_whole_and_make_sense() -> None:
    product = make.product()
    for price in (-1, 100_000_001):
        with pytest.raises(BadNumber):
            make.variant(product, price=price)
    with pytest.raises(BadNumber):
        make.variant(product, price=100, list_price_fen=99)
    with pytest.raises(BadNumber):
        make.variant(product, low_stock_at=-1)
    assert Variant.objects.count() == 0
    free = make.variant(product, "赠品", price=0)
    assert (free.price_fen, free.list_price_fen) == (0, 0)


@pytest.mark.parametrize(
    "change",
    [
        "price_fen = -1",
        "list_price_fen = price_fen - 1",
        "list_price_fen = 100000001",
        "quantity_prices = '{}'",
        "quantity_prices = '[[1, 5]]'",
        "quantity_prices = '[[2, 999999]]'",
        "quantity_prices = '[[2, -1]]'",
        "quantity_prices = '[[2, 1.5]]'",
        "quantity_prices = '[[2, \"5\"]]'",
        "quantity_prices = '[[2, 5], [2, 4]]'",
        "quantity_prices = '[[2, 5], [3, 6]]'",
        "quantity_prices = '[[99999999999, 5]]'",
        "stock_kind = 'open'",
        "stock_count = 5",
        "state = 'gone'",
    ],
)
def test_the_database_refuses_prices_and_stock_that_make_no_sense(change: str) -> None:
    make.variant(price=100)
    assert refused(f"UPDATE catalog_variant SET {change}")


def test_quantity_prices_rise_in_number_and_fall_in_price() -> None:
    product = make.product()
    steps = [[5, 95], [10, 90], [50, 90]]
    variant = make.variant(product, price=100, quantity_prices=steps)
    assert Variant.objects.get().quantity_prices == steps
    found = [unit_price(100, variant.quantity_prices, n) for n in (1, 4, 5, 9, 10, 49, 50, 999)]
    assert found == [100, 100, 95, 95, 90, 90, 90, 90]
    for bad in (
        [[1, 90]],
        [[5, 101]],
        [[5, 90], [5, 80]],
        [[5, 90], [6, 91]],
        [[5, -1]],
        [[5]],
        [[5, 9.5]],
        [[True, 5]],
        "5:90",
        [[n, 90] for n in range(2, 13)],
    ):
        with pytest.raises(BadQuantityPrices):
            make.variant(product, "坏", price=100, quantity_prices=bad)
    assert Variant.objects.count() == 1


def test_names_are_the_products_own() -> None:
    product = make.product()
    make.variant(product, "标准版")
    with pytest.raises(VariantNameTaken):
        make.variant(product, " 标准版 ")
    with pytest.raises(BadText):
        make.variant(product, "  ")
    make.variant(make.product(merchants.merchant("别家")), "标准版")
    assert Variant.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "stock_kind"),
    [("card_key", "count"), ("card_key", "open"), ("top_up", "keys"), ("agent_service", "keys")],
)
def test_card_keys_and_nothing_else_are_stocked_as_keys(kind: str, stock_kind: str) -> None:
    product = make.product(kind=kind)
    with pytest.raises(WrongStockKind):
        make.variant(product, stock_kind=stock_kind)
    assert refused(
        "INSERT INTO catalog_variant (reference, product_id, name, position, price_fen, list_price_fen,"
        " quantity_prices, stock_kind, stock_count, state)"
        " VALUES ('x', %s, 'x', 0, 1, 1, '[]', %s, %s, 'listed')",
        product.pk,
        stock_kind,
        1 if stock_kind == "count" else None,
    )


def test_another_price_is_a_fact_and_the_same_is_none(operator: Login) -> None:
    variant = make.variant(price=100, quantity_prices=[[5, 90]])
    edited = actions.edit_variant(
        variant=variant, name="新名", price_fen=80, quantity_prices=[[5, 70]], by=operator
    )
    actions.edit_variant(variant=edited, name="新名", price_fen=80, by=operator)
    event = Event.objects.get(name="catalog.PriceChanged")
    assert event.payload == {
        "variant_id": variant.pk,
        "product_id": variant.product_id,
        "old_price_fen": 100,
        "new_price_fen": 80,
    }
    kept = Variant.objects.get()
    assert (kept.name, kept.price_fen, kept.list_price_fen, kept.quantity_prices) == (
        "新名",
        80,
        80,
        [],
    )


def test_counted_stock_is_added_to_and_taken_from_but_not_below_nothing() -> None:
    variant = make.variant(make.product(kind="top_up"), stock_count=5)
    actions.add_stock(variant=variant, quantity=3, by=None)
    actions.add_stock(variant=variant, quantity=-8, by=None)
    assert make.left(variant) == 0
    with pytest.raises(OutOfStock):
        actions.add_stock(variant=variant, quantity=-1, by=None)
    with pytest.raises(BadNumber):
        actions.add_stock(variant=variant, quantity=10**9, by=None)
    keys = make.variant(make.product(merchants.merchant("别家")))
    with pytest.raises(NotCounted):
        actions.add_stock(variant=keys, quantity=1, by=None)
    assert make.left(variant) == 0


def test_a_hidden_variant_is_not_offered() -> None:
    product = make.product(is_listed=True)
    extra = make.variant(product, "加量版", keys=1)
    actions.set_variant_state(variant=extra, is_listed=False, by=None)
    assert [o.variant.name for o in queries.product_page(product.reference).offers] == ["标准版"]
    actions.set_variant_state(variant=extra, is_listed=True, by=None)
    offers = queries.product_page(product.reference).offers
    assert [(o.variant.name, o.left, o.is_in_stock) for o in offers] == [
        ("标准版", 0, False),
        ("加量版", 1, True),
    ]


# Bundles ------------------------------------------------------------------------------------------


def test_a_bundle_holds_plain_variants_of_its_own_merchant_and_kind() -> None:
    product = make.product()
    one = make.variant(product, "一")
    bundle = make.variant(product, "套餐", stock_kind="bundle", parts=[(one, 2)])
    theirs = make.variant(make.product(merchants.merchant("别家")))
    top_up = make.variant(make.product(product.merchant, kind="top_up"))
    for parts in (
        [],
        [(bundle, 1)],
        [(one, 1), (bundle, 1)],
        [(one, 1), (one, 1)],
        [(theirs, 1)],
        [(top_up, 1)],
        [(one, 0)],
        [(one, 100)],
    ):
        with pytest.raises(BadBundle):
            make.variant(product, "坏", stock_kind="bundle", parts=parts)
        with pytest.raises(BadBundle), transaction.atomic():
            actions.set_parts(variant=bundle, parts=parts, by=None)
    with pytest.raises(BadBundle):
        make.variant(product, "坏", parts=[(one, 1)])
    assert Variant.objects.filter(name="坏").count() == 0
    assert [(p.part, p.quantity) for p in queries.parts_of(bundle)] == [(one, 2)]


def test_the_database_refuses_a_bundle_of_itself_of_bundles_and_of_others() -> None:
    product = make.product()
    one = make.variant(product, "一")
    bundle = make.variant(product, "套餐", stock_kind="bundle", parts=[(one, 1)])
    other = make.variant(product, "大套餐", stock_kind="bundle", parts=[(one, 1)])
    theirs = make.variant(make.product(merchants.merchant("别家")))
    top_up = make.variant(make.product(product.merchant, kind="top_up"))
    insert = "INSERT INTO catalog_bundle_part (bundle_id, part_id, quantity) VALUES (%s, %s, 1)"
    for bundle_id, part_id in (
        (bundle, bundle),
        (bundle, other),
        (bundle, theirs),
        (bundle, top_up),
        (bundle, one),
        (one, top_up),
    ):
        assert refused(insert, bundle_id.pk, part_id.pk)


# Scenes -------------------------------------------------------------------------------------------


def test_scenes_are_the_operators_to_name_and_order(operator: Login) -> None:
    assert [scene.key for scene in queries.scenes()] == [
        "games",
        "films",
        "phone",
        "shopping",
        "software",
        "services",
    ]
    actions.save_scene(key="gifts", name_zh="礼品", name_en="Gifts", position=0, by=operator)
    actions.save_scene(key="games", name_zh="手游", name_en="Games", position=9, by=operator)
    assert [scene.key for scene in queries.scenes()][::6] == ["gifts", "games"]
    for given in (
        {"key": "Bad Key", "name_zh": "一", "name_en": "one"},
        {"key": "ok", "name_zh": "", "name_en": "one"},
        {"key": "ok", "name_zh": "长" * 25, "name_en": "one"},
    ):
        with pytest.raises(BadText):
            actions.save_scene(**given, position=1, by=None)
    with pytest.raises(SceneTaken):
        actions.save_scene(key="more", name_zh="手游", name_en="More", position=1, by=None)
    with pytest.raises(UnknownScene):
        queries.scene_named("nothing")
    assert Scene.objects.count() == 7
