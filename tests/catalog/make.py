"""Products, variants and card keys, made through the actions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from liuke.base import clock
from liuke.catalog import actions, queries
from liuke.catalog.models import Product, Variant
from liuke.merchants.models import Merchant
from tests.merchants import make as merchants


def product(
    merchant: Merchant | None = None,
    *,
    kind: str = "card_key",
    title: str = "原神 创世结晶 648",
    scene: str = "games",
    is_listed: bool = False,
    **about: Any,
) -> Product:
    """A draft; listing it needs a variant."""
    made = actions.make_product(
        merchant=merchant or merchants.merchant(),
        kind=kind,
        about=actions.About(scene=queries.scene_named(scene), title=title, **about),
        by=None,
    )
    if is_listed:
        variant(made)
        actions.list_product(product=made, by=None)
        made.refresh_from_db()
    return made


def variant(
    of: Product | None = None,
    name: str = "标准版",
    *,
    price: int = 64_800,
    stock_kind: str = "",
    keys: int = 0,
    **more: Any,
) -> Variant:
    """A variant, stocked as its product's kind wants it, with so many card keys."""
    of = of or product()
    kind = stock_kind or ("keys" if of.kind == "card_key" else "count")
    made = actions.make_variant(
        product=of, name=name, price_fen=price, stock_kind=kind, by=None, **more
    )
    if keys:
        import_keys(made, keys)
    return made


def import_keys(of: Variant, count: int, start: int = 1) -> list[str]:
    """So many different card keys; as they were written in the file."""
    texts = [f"KEY{of.pk:04}-ABCD-{number:08}" for number in range(start, start + count)]
    actions.import_keys(variant=of, content="\n".join(texts), by=None)
    return texts


def hold(token: str, *wants: tuple[Variant, int], minutes: int = 15) -> None:
    """Stock set aside for some minutes, in a transaction of its own."""
    with transaction.atomic():
        actions.hold_stock(
            token=token,
            wants=[(wanted.pk, quantity) for wanted, quantity in wants],
            until=clock.now() + dt.timedelta(minutes=minutes),
        )


def left(of: Variant) -> int | None:
    """What can be had of a variant."""
    return queries.stock_of([of.pk])[of.pk]
