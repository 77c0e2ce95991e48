"""Lists of products as they are shown: by scene, or as found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from liuke.catalog import queries
from liuke.catalog.models import Product, Scene, Variant
from liuke.interfaces.storefront.shop.kept import Kept
from liuke.orders.queries import shown_fen

PAGE, ON_A_SHELF = 24, 4
FULL_PRICE = 100  # what the lowest level and strangers pay, in hundredths
HUES = ("ink", "plum", "teal", "cinnabar", "amber", "slate")


@dataclass(frozen=True)
class Item:
    """A product in a list. `variant` is what its button buys, "" when nothing is left; `list_fen` the usual price.

    `price_fen` is what it costs on the lowest level, `subject` what it is for.
    """

    reference: str
    title: str
    about: str
    glyph: str
    hue: str
    source_kind: str
    arrival_minutes: int
    sold: int
    from_fen: int
    list_fen: int
    is_one_price: bool
    variant: str
    price_fen: int
    subject: str


@dataclass(frozen=True)
class Shelf:
    """A scene with its best known products."""

    scene: Scene
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Found:
    """A page of a list; `has_more` says whether there is another."""

    items: tuple[Item, ...]
    has_more: bool


_shelves: Kept[tuple[Shelf, ...]] = Kept(5)
_found: Kept[Found] = Kept(5)
_single: Kept[Item | None] = Kept(5, most=4096)


def scenes() -> list[Scene]:
    """What one may come for, where there is something."""
    return [shelf.scene for shelf in shelves()]


def shelves(pays_percent: int = FULL_PRICE) -> tuple[Shelf, ...]:
    """Every scene in which something is offered, with the best known of it, at the prices of a level."""
    return _shelves.get(pays_percent, lambda: _make_shelves(pays_percent))


def found(text: str, scene: str, page: int, pays_percent: int = FULL_PRICE) -> Found:
    """What fits, `page` from 0, at the prices of a level."""
    key = (text, scene, page, pays_percent)
    return _found.get(key, lambda: _find(text, scene, page, pays_percent))


def there_now(product_ids: Sequence[int], pays_percent: int = FULL_PRICE) -> dict[int, Item]:
    """Those of these products that can be bought now, at the prices of a level: looked at every five seconds."""

    def look(keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Item | None]:
        products = list(queries.search().filter(pk__in=[key[0] for key in keys]))
        by_reference = {item.reference: item for item in _items(products, pays_percent)}
        items = {product.pk: by_reference.get(product.reference) for product in products}
        return {key: items.get(key[0]) for key in keys}

    found = _single.get_many([(product, pays_percent) for product in product_ids], look)
    return {key[0]: item for key, item in found.items() if item is not None and item.variant}


def forget() -> None:
    """Look again at once."""
    _single.clear()
    _shelves.clear()
    _found.clear()


def hue_of(product: Product) -> str:
    """The colour of a product's card; one subject has one colour."""
    return HUES[sum((product.subject or product.title).encode()) % len(HUES)]


def glyph_of(product: Product) -> str:
    """The letter on a product's card."""
    return (product.subject or product.title)[:1].upper()


def _make_shelves(pays_percent: int) -> tuple[Shelf, ...]:
    made = (
        Shelf(scene, _items(list(queries.search(scene=scene.key)[:ON_A_SHELF]), pays_percent))
        for scene in queries.scenes()
    )
    return tuple(shelf for shelf in made if shelf.items)


def _find(text: str, scene: str, page: int, pays_percent: int) -> Found:
    start = page * PAGE
    products = list(queries.search(text, scene)[start : start + PAGE + 1])
    return Found(_items(products[:PAGE], pays_percent), len(products) > PAGE)


def _items(products: Sequence[Product], pays_percent: int) -> tuple[Item, ...]:
    variants: dict[int, list[Variant]] = {product.pk: [] for product in products}
    listed = Variant.objects.filter(product_id__in=variants, state="listed")
    known = {product.pk: product for product in products}
    for variant in listed.order_by("position"):
        variant.product = known[variant.product_id]
        variants[variant.product_id].append(variant)
    left = queries.stock_of([v.pk for each in variants.values() for v in each], at_most=1)
    return tuple(
        _item(product, variants[product.pk], left, pays_percent)
        for product in products
        if variants[product.pk]
    )


def _item(
    product: Product, variants: Sequence[Variant], left: dict[int, int | None], pays_percent: int
) -> Item:
    there = [variant for variant in variants if left[variant.pk] != 0]
    cheapest = min(there or variants, key=lambda variant: variant.price_fen)
    return Item(
        reference=product.reference,
        title=product.title,
        about=product.subtitle or product.coverage_text,
        glyph=glyph_of(product),
        hue=hue_of(product),
        source_kind=product.source_kind,
        arrival_minutes=product.arrival_minutes,
        sold=product.sold_count,
        from_fen=shown_fen(cheapest, pays_percent),
        list_fen=max(cheapest.price_fen, cheapest.list_price_fen or 0),
        is_one_price=len({variant.price_fen for variant in variants}) == 1,
        variant=there[0].reference if there else "",
        price_fen=cheapest.price_fen,
        subject=product.subject,
    )
