"""What can be chosen of a product: variants with their price, their stock and, for a bundle, their parts."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext

from liuke.base import ids
from liuke.catalog.actions.wishes import tell_back
from liuke.catalog.errors import (
    BadBundle,
    BadNumber,
    BadText,
    NotCounted,
    OutOfStock,
    UnknownVariant,
    VariantNameTaken,
    WrongStockKind,
)
from liuke.catalog.events import PriceChanged
from liuke.catalog.models import BundlePart, Product, Variant
from liuke.catalog.rules import (
    PART_QUANTITY_MAX,
    PARTS_MAX,
    PRICE_FEN_MAX,
    REFERENCE_LETTERS,
    read_quantity_prices,
    stock_fits,
)
from liuke.events.actions import publish
from liuke.people.actions import record_act
from liuke.people.models import Login

NAME_LETTERS = 80
STOCK_MAX = 10_000_000
Steps = Sequence[Sequence[int]]
Parts = Sequence[tuple[Variant, int]]


@transaction.atomic
def make_variant(
    *,
    product: Product,
    name: str,
    price_fen: int,
    stock_kind: str,
    by: Login | None,
    list_price_fen: int | None = None,
    quantity_prices: Steps = (),
    stock_count: int = 0,
    low_stock_at: int | None = None,
    parts: Parts = (),
) -> Variant:
    """Add something to choose. Prices in minor units; a bundle has `parts`, (variant, how many) each.

    Raises:
        BadBundle: parts that are none, bundles themselves, named twice, or of another merchant or kind.
        BadNumber: a price or number outside what makes sense. BadQuantityPrices: steps that do not fall.
        BadText: no name. VariantNameTaken: another variant is called so.
        WrongStockKind: card keys are stocked as keys and nothing else is.
    """
    if not stock_fits(product.kind, stock_kind):
        raise WrongStockKind
    last = Variant.objects.filter(product=product).aggregate(last=Max("position"))["last"]
    variant = Variant(
        reference=ids.new_reference(REFERENCE_LETTERS),
        product=product,
        position=0 if last is None else last + 1,
        stock_kind=stock_kind,
        stock_count=_number(stock_count, gettext("The stock"), STOCK_MAX)
        if stock_kind == "count"
        else None,
    )
    _price(variant, name, price_fen, list_price_fen, quantity_prices, low_stock_at)
    variant.save(force_insert=True)
    _put_together(variant, parts)
    record_act(
        by=by,
        verb="variant.make",
        about=product.reference,
        variant=variant.name,
        price_fen=price_fen,
    )
    return variant


@transaction.atomic
def edit_variant(
    *,
    variant: Variant,
    name: str,
    price_fen: int,
    by: Login | None,
    list_price_fen: int | None = None,
    quantity_prices: Steps = (),
    low_stock_at: int | None = None,
) -> Variant:
    """Call it something else, or sell it for another price; orders keep theirs. Publishes `PriceChanged`.

    Raises:
        BadNumber, BadQuantityPrices, BadText, VariantNameTaken: as for a new one.
    """
    held = _held(variant)
    before = held.price_fen
    _price(held, name, price_fen, list_price_fen, quantity_prices, low_stock_at)
    held.save()
    if held.price_fen != before:
        publish(PriceChanged(held.pk, held.product_id, before, held.price_fen))
    record_act(
        by=by,
        verb="variant.edit",
        about=held.product.reference,
        variant=held.name,
        price_fen=price_fen,
    )
    return held


@transaction.atomic
def set_variant_state(*, variant: Variant, is_listed: bool, by: Login | None) -> None:
    """Offer a variant, or do so no longer."""
    state = "listed" if is_listed else "hidden"
    held = _held(variant)
    if held.state != state:
        held.state = state
        held.save(update_fields=["state"])
        verb = "variant.list" if is_listed else "variant.hide"
        record_act(by=by, verb=verb, about=held.product.reference, variant=held.name)


@transaction.atomic
def add_stock(*, variant: Variant, quantity: int, by: Login | None) -> None:
    """Add to counted stock; a negative `quantity` takes away.

    Raises:
        BadNumber: more than makes sense.
        NotCounted: the stock is keys, parts, or without end.
        OutOfStock: there is not that much to take away.
    """
    if variant.stock_kind != "count":
        raise NotCounted
    if not -STOCK_MAX <= quantity <= STOCK_MAX:
        raise BadNumber(name=gettext("The stock"), least=-STOCK_MAX, most=STOCK_MAX)
    room = Variant.objects.filter(pk=variant.pk, stock_count__gte=-quantity)
    if not room.update(stock_count=F("stock_count") + quantity):
        raise OutOfStock(name=variant.name)
    record_act(
        by=by,
        verb="variant.stock",
        about=variant.product.reference,
        variant=variant.name,
        quantity=quantity,
    )
    if quantity > 0:
        tell_back([variant.pk])


@transaction.atomic
def set_parts(*, variant: Variant, parts: Parts, by: Login | None) -> None:
    """Say anew what a bundle holds; what is held or ordered keeps the parts it was placed with.

    Raises:
        BadBundle: parts that are none, bundles themselves, named twice, or of another merchant or kind.
    """
    held = _held(variant)
    BundlePart.objects.filter(bundle=held).delete()
    _put_together(held, parts)
    record_act(
        by=by,
        verb="variant.parts",
        about=held.product.reference,
        variant=held.name,
        parts=[f"{part.name} x {quantity}" for part, quantity in parts],
    )


def _held(variant: Variant) -> Variant:
    held = (
        Variant.objects.select_for_update(no_key=True, of=("self",))
        .select_related("product")
        .filter(pk=variant.pk)
        .first()
    )
    if held is None:
        raise UnknownVariant
    return held


def _price(
    variant: Variant,
    name: str,
    price_fen: int,
    list_price_fen: int | None,
    quantity_prices: Steps,
    low_stock_at: int | None,
) -> None:
    """Put name and prices into the row, checked."""
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_LETTERS or not name.isprintable():
        raise BadText(name=gettext("The variant's name"), letters=NAME_LETTERS)
    others = Variant.objects.filter(product_id=variant.product_id, name=name).exclude(pk=variant.pk)
    if others.exists():
        raise VariantNameTaken(name=name)
    variant.name = name
    variant.price_fen = _number(price_fen, gettext("The price"), PRICE_FEN_MAX)
    list_fen = price_fen if list_price_fen is None else list_price_fen
    variant.list_price_fen = _number(
        list_fen, gettext("The compared price"), PRICE_FEN_MAX, price_fen
    )
    variant.quantity_prices = read_quantity_prices(quantity_prices, price_fen)
    if low_stock_at is not None:
        _number(low_stock_at, gettext("The mark of low stock"), STOCK_MAX)
    variant.low_stock_at = low_stock_at


def _number(number: int, name: str, most: int, least: int = 0) -> int:
    if not least <= number <= most:
        raise BadNumber(name=name, least=least, most=most)
    return number


def _put_together(bundle: Variant, parts: Parts) -> None:
    if (bundle.stock_kind == "bundle") != bool(parts) or len(parts) > PARTS_MAX:
        raise BadBundle
    product, names = bundle.product, {part.pk for part, _ in parts}
    for part, quantity in parts:
        is_ours = (part.product.merchant_id, part.product.kind) == (
            product.merchant_id,
            product.kind,
        )
        if not is_ours or part.stock_kind == "bundle" or not 1 <= quantity <= PART_QUANTITY_MAX:
            raise BadBundle
    if len(names) != len(parts):
        raise BadBundle
    BundlePart.objects.bulk_create(
        BundlePart(bundle=bundle, part=part, quantity=quantity) for part, quantity in parts
    )
