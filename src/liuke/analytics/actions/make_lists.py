"""Choose for everybody, at night: own lists, what goes together, and what many buy.

Only for short-lived processes: it loads the arithmetic.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection, transaction

from liuke.analytics.columns import to_day
from liuke.analytics.models import Alongside, Popular, ShelfDay
from liuke.analytics.queries.shop_lines import (
    TROUBLE_MOST,
    Buyers,
    OnShelf,
    bought_columns,
    buyers,
    often_bought_subjects,
    shelves,
    trouble_rates,
    viewed_columns,
)
from liuke.analytics.showing import ALONGSIDE_RANKS, POPULAR_RANKS, RANKS
from liuke.base import clock
from liuke.science.order_log import Bools
from liuke.science.recommend.fit import fit
from liuke.science.recommend.ranking import Recommendation, rank
from liuke.science.recommend.recommender import Recommender

PRICE_DAYS, SOLD_OUT_DAYS, SHELF_DAYS = 30, 7, 60
_SPARE = 3  # so many times as many candidates as places, for the last word of the ranking

Row = tuple[int, str, int, int, str, int | None, int, int | None]

_ALONE = "SELECT pg_advisory_xact_lock(hashtext('analytics.make_lists'))"
_LISTED = """
INSERT INTO analytics_listed (person_id, since, is_held_out, share_permyriad)
SELECT person, %(at)s, held_out, share FROM unnest(%(persons)s::bigint[], %(held_out)s::bool[], %(shares)s::int[])
    AS f (person, held_out, share)
ORDER BY person ON CONFLICT (person_id) DO NOTHING
"""
_FRESH = """
DROP TABLE IF EXISTS fresh_suggestion;
CREATE TEMP TABLE fresh_suggestion (LIKE analytics_suggestion) ON COMMIT DROP;
"""
_COPY = """
COPY fresh_suggestion (person_id, slot, place, product_id, reason, because_id, times, was_fen) FROM STDIN
"""
_SWAP = """
DELETE FROM analytics_suggestion;
INSERT INTO analytics_suggestion (person_id, slot, place, product_id, reason, because_id, times, was_fen)
SELECT person_id, slot, place, product_id, reason, because_id, times, was_fen FROM fresh_suggestion;
"""
_SHELF = """
INSERT INTO analytics_shelf_day AS kept (product_id, "on", from_fen, is_in_stock)
SELECT product, %(on)s, price, there
FROM unnest(%(products)s::bigint[], %(prices)s::bigint[], %(there)s::bool[]) AS f (product, price, there)
ORDER BY product
ON CONFLICT (product_id, "on") DO UPDATE SET is_in_stock = kept.is_in_stock AND excluded.is_in_stock
"""
# What it cost when the member began to follow it, PRICE_DAYS ago at most; and whether it was sold out of late.
_FOLLOWED = """
SELECT f.person_id, f.product_id, was.from_fen, EXISTS (
    SELECT 1 FROM analytics_shelf_day s WHERE s.product_id = f.product_id AND NOT s.is_in_stock
      AND s."on" >= greatest((f.since AT TIME ZONE %(zone)s)::date, %(on)s - %(sold_out_days)s))
FROM catalog_follow f
CROSS JOIN LATERAL (SELECT greatest((f.since AT TIME ZONE %(zone)s)::date, %(on)s - %(price_days)s) AS day) then_
CROSS JOIN LATERAL (
    SELECT s.from_fen FROM analytics_shelf_day s WHERE s.product_id = f.product_id
    ORDER BY s."on" <= then_.day DESC, abs(s."on" - then_.day) LIMIT 1) was
WHERE f.person_id = ANY (%(persons)s)
ORDER BY f.person_id, f.id DESC
"""


@dataclass(frozen=True)
class Lot:
    """Whether a person was drawn to get nothing special, and by which share, in ten-thousandths."""

    is_held_out: bool
    share_permyriad: int


@dataclass(frozen=True)
class Made:
    """How many persons have lists of their own now, how many are held out, and how many rows that is."""

    persons: int
    held_out: int
    suggestions: int


@dataclass(frozen=True)
class _Shop:
    """What a list is made of."""

    shelves: dict[int, OnShelf]
    trouble: dict[int, float]
    buyers: dict[int, Buyers]
    subjects: dict[tuple[int, str], int]

    @property
    def margin(self) -> dict[int, float]:
        return {product: each.margin for product, each in self.shelves.items()}

    @property
    def shown(self) -> list[int]:
        """There now, and not taken back too often."""
        return [
            product
            for product, each in self.shelves.items()
            if each.is_in_stock and self.trouble.get(product, 0.0) <= TROUBLE_MOST
        ]

    def best(self, found: Sequence[Recommendation]) -> list[Recommendation]:
        """By chance, margin and trouble."""
        return rank(found, margin=self.margin, trouble=self.trouble)


@transaction.atomic
def make_lists(*, lots: Mapping[int, Lot]) -> Made:
    """Make all lists anew for these persons, but none for those who are held out; the lots are noted the first time.

    Nothing that is sold out now, withdrawn, or taken back too often is in them. Two runs wait for each other.
    """
    shop = _Shop(
        {each.product_id: each for each in shelves()},
        trouble_rates(),
        buyers(),
        often_bought_subjects(),
    )
    chosen = sorted(person for person, lot in lots.items() if not lot.is_held_out)
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
    _note_lots(lots)
    _note_shelves(shop)
    recommender = _fitted()
    _store_popular(shop)
    _store_alongside(shop, recommender)
    rows = _store_suggestions([*_followed(shop, chosen)], _suggested(shop, recommender, chosen))
    return Made(len(chosen), len(lots) - len(chosen), rows)


def _fitted() -> Recommender | None:
    """None while nothing was bought."""
    person, day, product, order = bought_columns()
    if not len(person):
        return None
    viewer, seen_on, seen = viewed_columns()
    return fit(
        person,
        day,
        product,
        basket=order,
        views=(viewer, seen_on, seen),
        as_of_day=to_day(clock.today()),
    )


def _note_lots(lots: Mapping[int, Lot]) -> None:
    told: dict[str, Any] = {
        "at": clock.now(),
        "persons": list(lots),
        "held_out": [lot.is_held_out for lot in lots.values()],
        "shares": [lot.share_permyriad for lot in lots.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_LISTED, told)


def _note_shelves(shop: _Shop) -> None:
    """Prices and stock of today: the first price that we see, and sold out when it was so at any time."""
    told: dict[str, Any] = {
        "on": clock.today(),
        "products": list(shop.shelves),
        "prices": [each.from_fen for each in shop.shelves.values()],
        "there": [each.is_in_stock for each in shop.shelves.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SHELF, told)
    oldest = clock.today() - dt.timedelta(days=SHELF_DAYS)
    ShelfDay.objects.filter(on__lt=oldest).delete()


def _store_popular(shop: _Shop) -> None:
    """What most persons bought within a week, then within a month; nothing that nobody bought."""
    known = [p for p in shop.shown if shop.buyers.get(p, Buyers(0, 0)).month]

    def worth(product: int) -> tuple[float, float, int]:
        tilt = (1 + shop.margin[product] / 2) * (1 - shop.trouble.get(product, 0.0))
        sold = shop.buyers[product]
        return -sold.week * tilt, -sold.month * tilt, product

    best = sorted(known, key=worth)
    scenes = {shop.shelves[product].scene for product in best}
    lists = {"": best} | {
        scene: [p for p in best if shop.shelves[p].scene == scene] for scene in scenes
    }
    Popular.objects.all().delete()
    Popular.objects.bulk_create(
        Popular(scene=scene, place=at, product_id=product, persons=shop.buyers[product].week)
        for scene, products in lists.items()
        for at, product in enumerate(products[:POPULAR_RANKS], start=1)
    )


def _store_alongside(shop: _Shop, recommender: Recommender | None) -> None:
    Alongside.objects.all().delete()
    if recommender is None:
        return
    allowed = recommender.allowed(shop.shown)
    many = ALONGSIDE_RANKS * _SPARE
    Alongside.objects.bulk_create(
        Alongside(product_id=product, place=at, other_id=each.item)
        for product in shop.shelves
        for at, each in enumerate(
            shop.best(recommender.alongside(product, many, allowed=allowed))[:ALONGSIDE_RANKS],
            start=1,
        )
    )


def _suggested(
    shop: _Shop, recommender: Recommender | None, persons: Sequence[int]
) -> Iterator[Row]:
    """Asks the database nothing: it is read from while rows go in."""
    if recommender is None:
        return
    allowed, known = recommender.allowed(shop.shown), set(recommender.members.tolist())
    for person in known.intersection(persons):
        yield from _again(shop, recommender, person, allowed)
        yield from _fresh(shop, recommender, person, allowed)


def _again(shop: _Shop, recommender: Recommender, person: int, allowed: Bools) -> Iterator[Row]:
    found = shop.best(recommender.rebuy(person, RANKS["rebuy"] * _SPARE, allowed=allowed))
    for at, each in enumerate(found[: RANKS["rebuy"]], start=1):
        yield person, "rebuy", at, each.item, "bought_often", None, each.count, None


def _fresh(shop: _Shop, recommender: Recommender, person: int, allowed: Bools) -> Iterator[Row]:
    found = shop.best(recommender.discover(person, RANKS["discover"] * _SPARE, allowed=allowed))
    told = [(each, *_why(shop, person, each)) for each in found]
    kept = [one for one in told if one[1]][: RANKS["discover"]]
    for at, (each, reason, times) in enumerate(kept, start=1):
        because = each.because if reason == "goes_with" else None
        yield person, "discover", at, each.item, reason, because, times, None


def _why(shop: _Shop, person: int, each: Recommendation) -> tuple[str, int]:
    """The reason and its number; "" when there is none that is true."""
    orders = shop.subjects.get((person, shop.shelves[each.item].subject), 0)
    if orders:
        return "subject", orders
    if each.reason in ("viewed", "goes_with"):
        return each.reason, each.count
    sold = shop.buyers.get(each.item, Buyers(0, 0))
    if not sold.month:
        return "", 0
    return ("popular_week", sold.week) if sold.week else ("popular_lately", sold.month)


def _followed(shop: _Shop, persons: Sequence[int]) -> Iterator[Row]:
    """Everything they follow: whether there is news of it is seen when it is shown."""
    told: dict[str, Any] = {
        "persons": list(persons),
        "zone": clock.site_zone().key,
        "on": clock.today(),
        "price_days": PRICE_DAYS,
        "sold_out_days": SOLD_OUT_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOWED, told)
        rows = cursor.fetchall()
    ranks: dict[int, int] = {}
    for person, product, was_fen, was_sold_out in rows:
        at = ranks[person] = ranks.get(person, 0) + 1
        if at <= RANKS["followed"] and product in shop.shelves:
            reason = "followed_back" if was_sold_out else "followed_cheaper"
            yield person, "followed", at, product, reason, None, 0, was_fen


def _store_suggestions(*parts: Iterable[Row]) -> int:
    stored = 0
    with connection.cursor() as cursor:
        cursor.execute(_FRESH)
        with cursor.copy(_COPY) as copy:
            for row in chain(*parts):
                copy.write_row(row)
                stored += 1
        cursor.execute(_SWAP)
        cursor.execute("ANALYZE analytics_suggestion")
    return stored
