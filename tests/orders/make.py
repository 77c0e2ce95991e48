"""A shop in a few lines, made through the same actions as an operator's and a visitor's.

shop = make.shop()                          # one merchant, "Coins" with card keys at 10 yuan
order = make.order(shop.coins)              # of a fresh member
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from liuke.base import clock
from liuke.catalog.actions import (
    About,
    import_keys,
    list_product,
    make_product,
    make_variant,
)
from liuke.catalog.models import Product, Scene, Variant
from liuke.membership.rules import Terms
from liuke.merchants.actions import open_merchant
from liuke.merchants.models import Merchant
from liuke.orders import queries
from liuke.orders.actions import place_order
from liuke.orders.models import Order
from liuke.orders.queries import Quote
from liuke.people.models import Member
from tests.people import make as people

__all__ = ["Shop", "Terms", "keys", "member", "merchant", "order", "product", "quote", "shop"]

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Shop:
    """One merchant with one keyed product of one variant."""

    merchant: Merchant
    product: Product
    coins: Variant


def shop(price_fen: int = 1000, stock: int = 5, fee_permyriad: int = 300, **about: Any) -> Shop:
    """A merchant who sells "Coins", delivered as card keys, `stock` of them."""
    seller = merchant(fee_permyriad=fee_permyriad)
    coins = product(seller, price_fen=price_fen, stock=stock, **about)
    return Shop(seller, coins.product, coins)


def merchant(fee_permyriad: int = 300) -> Merchant:
    return open_merchant(name=f"Merchant {next(_numbers)}", fee_permyriad=fee_permyriad, by=None)


def product(
    seller: Merchant,
    *,
    price_fen: int = 1000,
    stock: int = 5,
    kind: str = "card_key",
    scene: str = "games",
    title: str = "Coins",
    quantity_prices: Any = (),
    **about: Any,
) -> Variant:
    """One more listed product of one variant. `stock` card keys, or counted for what is delivered by hand."""
    said = About(scene=Scene.objects.get(key=scene), title=title, **about)
    made = make_product(merchant=seller, kind=kind, about=said, by=None)
    variant = make_variant(
        product=made,
        name="60",
        price_fen=price_fen,
        stock_kind="keys" if kind == "card_key" else "count",
        stock_count=0 if kind == "card_key" else stock,
        quantity_prices=quantity_prices,
        by=None,
    )
    if kind == "card_key" and stock:
        keys(variant, stock)
    list_product(product=made, by=None)
    return Variant.objects.select_related("product__merchant").get(pk=variant.pk)


def keys(variant: Variant, number: int) -> list[str]:
    """Import so many new card keys; their plain texts."""
    texts = [f"KEY-{next(_numbers):08}-{variant.pk:04}" for _ in range(number)]
    import_keys(variant=variant, content="\n".join(texts), by=None)
    return texts


def member(name: str = "") -> Member:
    """Someone who signed in with a phone number."""
    return people.member(name or f"138{next(_numbers):08}", source="site")


def quote(variant: Variant, quantity: int = 1, *, of: Member | None = None, **more: Any) -> Quote:
    """What it costs now."""
    person_id = of.person_id if of else None
    return queries.quote(
        person_id=person_id, wants=[(variant.reference, quantity)], at=clock.now(), **more
    )


def order(
    variant: Variant,
    quantity: int = 1,
    *,
    of: Member | None = None,
    key: str = "",
    form: dict[str, str] | None = None,
    coupon_ref: str | None = None,
    network: str = "",
) -> Order:
    """Place an order at the price of now."""
    who = of or member()
    wants = [(variant.reference, quantity)]
    person_id = None if queries.is_guest(who) else who.person_id
    asked = queries.quote(person_id=person_id, wants=wants, coupon_ref=coupon_ref, at=clock.now())
    return place_order(
        member=who,
        wants=wants,
        form=form or {},
        key=key or f"key-{next(_numbers)}",
        expected_fen=asked.payable_fen,
        coupon_ref=coupon_ref,
        network=network,
    )
