"""Offers, coupons and spenders, made through the room's own actions."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from liuke.base import clock
from liuke.base.audit import check
from liuke.catalog.models import Variant
from liuke.membership import queries
from liuke.membership.actions import (
    add_spend,
    grant_coupon,
    grant_offer,
    make_coupon_kind,
    make_offer,
)
from liuke.membership.models import Coupon, CouponKind, Offer, OfferGrant
from liuke.people.models import Member

_orders = itertools.count(1)


def spend(who: Member, *amounts_fen: int) -> None:
    """Somebody completed orders of these amounts."""
    for amount in amounts_fen:
        add_spend(person_id=who.person_id, amount_fen=amount, at=clock.now())


def coupon_kind(**fields: Any) -> CouponKind:
    """Five yuan off from twenty on, a hundred yuan in all, one a person, unless told otherwise."""
    said = {"off_fen": 500, "min_spend_fen": 2000, "budget_fen": 10_000, "valid_days": 7, **fields}
    return make_coupon_kind(**{"name": "Five off", "by": None, **said})


def coupon(who: Member, kind: CouponKind | None = None, **fields: Any) -> Coupon:
    kind = kind or coupon_kind(**fields)
    return grant_coupon(kind_ref=kind.reference, person_id=who.person_id)


def first_order(gift: Variant, **fields: Any) -> Offer:
    """Ten yuan in the games bring one of `gift`."""
    said = {
        "name": "10 brings 5",
        "scene_id": "games",
        "gift_variant": gift,
        "gift_quantity": 1,
        "min_payable_fen": 1000,
        **fields,
    }
    return make_offer(kind="first_order", by=None, **said)


def special(**fields: Any) -> Offer:
    """30 % off one piece, unless told otherwise."""
    said = fields if {"off_fen", "price_fen"} & fields.keys() else {"percent_off": 30, **fields}
    return make_offer(kind="special_price", **{"name": "Come back", "by": None, **said})


def grant(offer: Offer, who: Member, days: int = 3, about: str = "m1") -> OfferGrant:
    return grant_offer(
        reference=offer.reference,
        person_id=who.person_id,
        ends_at=clock.now() + dt.timedelta(days=days),
        about=about,
    )


def order_ref() -> str:
    """Something that looks like the number of an order."""
    return f"LK20260315{next(_orders):08}X"


def broken() -> dict[str, int]:
    """The room's promises that do not hold."""
    found = [check(promise) for promise in queries.invariants()]
    return {each.invariant.name: each.violations for each in found if each.violations}
