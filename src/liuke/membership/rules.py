"""In which words do we speak of offers and coupons, what are they worth, and what is missing for the next level?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

OFFER_KINDS = ("first_order", "special_price")
COUPON_STATES = ("free", "locked", "used")
ORDER_REF_LETTERS = 24


# Levels -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LevelBounds:
    """What a level asks for and gives: completed orders, money spent, and how many hundredths of a price it pays."""

    key: str
    name: str
    spent_from_fen: int
    orders_from: int
    pays_percent: int


@dataclass(frozen=True)
class Progress:
    """The next level, and what is missing for it; each 0 where it is reached."""

    level: LevelBounds
    missing_fen: int
    missing_orders: int


def level_for(ladder: Sequence[LevelBounds], spent_fen: int, orders: int) -> LevelBounds:
    """The highest level of a ladder (lowest first) whose both bounds are reached; the lowest asks for nothing."""
    reached = [
        level
        for level in ladder
        if level.spent_from_fen <= spent_fen and level.orders_from <= orders
    ]
    return reached[-1]


def next_level(ladder: Sequence[LevelBounds], spent_fen: int, orders: int) -> Progress | None:
    """What is missing for the level above; None on the highest."""
    above = ladder[ladder.index(level_for(ladder, spent_fen, orders)) + 1 :]
    if not above:
        return None
    level = above[0]
    return Progress(
        level, max(0, level.spent_from_fen - spent_fen), max(0, level.orders_from - orders)
    )


def is_ladder(levels: Sequence[LevelBounds]) -> bool:
    """Whether levels, lowest first, make a ladder: the first asks for nothing, each asks for more and pays no more."""
    if not levels or levels[0].spent_from_fen or levels[0].orders_from:
        return False
    return all(
        upper.spent_from_fen >= lower.spent_from_fen
        and upper.orders_from >= lower.orders_from
        and (upper.spent_from_fen, upper.orders_from) != (lower.spent_from_fen, lower.orders_from)
        and upper.pays_percent <= lower.pays_percent
        for lower, upper in pairwise(levels)
    )


# What a person may have cheaper -------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """What a price rule is about: one variant, one product, one scene, or everything."""

    scene: str | None = None
    product_id: int | None = None
    variant_id: int | None = None

    def covers(self, scene: str, product_id: int, variant_id: int) -> bool:
        """Whether the rule is about this variant of this product in this scene."""
        return (
            self.scene in (None, scene)
            and self.product_id in (None, product_id)
            and self.variant_id in (None, variant_id)
        )


@dataclass(frozen=True)
class SpecialPrice:
    """A special price that a person was granted: one of percent off, an amount off a piece, a price for a piece."""

    offer_id: int
    grant_id: int
    name: str
    scope: Scope
    percent_off: int | None
    off_fen: int | None
    price_fen: int | None
    quantity_max: int
    ends_at: dt.datetime

    def total_for(self, unit_fen: int, quantity: int) -> int:
        """What `quantity` pieces cost: the special price for the first `quantity_max`, the full one for the rest."""
        special = min(quantity, self.quantity_max)
        if self.percent_off is not None:
            cheap = unit_fen * special * (100 - self.percent_off) // 100
        elif self.off_fen is not None:
            cheap = (unit_fen - self.off_fen) * special
        else:
            cheap = (self.price_fen or 0) * special
        return max(cheap, special) + unit_fen * (quantity - special)  # a fen a piece at least


@dataclass(frozen=True)
class Gift:
    """What a first order of the scope brings with it when it pays at least `min_payable_fen` there."""

    offer_id: int
    name: str
    scope: Scope
    min_payable_fen: int
    variant_id: int
    quantity: int


@dataclass(frozen=True)
class CouponTerms:
    """A free coupon of a person: an amount off, or percent off up to a bound, from `min_spend_fen` in its scope on."""

    reference: str
    name: str
    scope: Scope
    off_fen: int | None
    percent_off: int | None
    off_max_fen: int | None
    min_spend_fen: int
    expires_at: dt.datetime

    def worth(self, spend_fen: int) -> int:
        """What it takes off a spend in its scope, rounded up for the member; never more than the spend."""
        if spend_fen < self.min_spend_fen:
            return 0
        if self.percent_off is None:
            return min(self.off_fen or 0, spend_fen)
        part = -(-spend_fen * self.percent_off // 100)
        return min(part, self.off_max_fen or 0, spend_fen)


@dataclass(frozen=True)
class Terms:
    """All that may make a price lower for one person now. Guests have none."""

    level_name: str = ""
    pays_percent: int = 100
    specials: tuple[SpecialPrice, ...] = ()
    gifts: tuple[Gift, ...] = ()
    coupons: tuple[CouponTerms, ...] = ()


NO_TERMS = Terms()
