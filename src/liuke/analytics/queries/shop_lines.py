"""What was bought and viewed here, product by product, as arrays; and what of the shelves may be shown.

Only for short-lived processes: it loads numpy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection
from django.db.models import Min
from numpy.typing import NDArray

from liuke.base import clock
from liuke.catalog.models import Variant
from liuke.catalog.queries import stock_of
from liuke.people.rules import BEHAVIOUR

BOUGHT_DAYS, VIEWED_DAYS, TROUBLE_DAYS = 730, 60, 90
ACTIVE_DAYS = 365
ACTIVE_MOST = 300_000
OFTEN = 2
"""Orders of one subject from which on somebody "often buys" it."""

TROUBLE_PRIOR = 20
TROUBLE_MOST = 0.2

_STANDS = (
    "o.paid_at IS NOT NULL AND o.guest_index IS NULL AND o.state <> 'refunded' AND NOT l.is_gift"
)
_DAY = "(o.paid_at AT TIME ZONE %(zone)s)::date - date '1970-01-01'"
_BOUGHT = f"""
SELECT o.person_id, {_DAY}, l.product_id, o.id
FROM orders_line l JOIN orders_order o ON o.id = l.order_id
WHERE {_STANDS} AND o.paid_at > %(since)s
"""
_VIEWED = """
SELECT b.person_id, (b.at AT TIME ZONE %(zone)s)::date - date '1970-01-01', p.id
FROM analytics_behaviour b JOIN catalog_product p ON p.reference = b.product
WHERE b.kind = 'view' AND b.person_id IS NOT NULL AND b.product <> '' AND b.at > %(since)s
"""
_SUBJECTS = f"""
SELECT o.person_id, p.subject, count(DISTINCT o.id)
FROM orders_line l JOIN orders_order o ON o.id = l.order_id JOIN catalog_product p ON p.id = l.product_id
WHERE {_STANDS} AND o.paid_at > %(since)s AND p.subject <> ''
GROUP BY 1, 2 HAVING count(DISTINCT o.id) >= {OFTEN}
"""
# Who bought of late or follows something, the latest first. Who said no is left alone.
_ACTIVE = """
SELECT m.id FROM people_member m
LEFT JOIN (SELECT person_id, max(paid_at) AS at FROM orders_order
           WHERE paid_at > %(since)s AND guest_index IS NULL GROUP BY 1) o ON o.person_id = m.id
WHERE m.id = m.person_id AND m.erased_at IS NULL
  AND (o.at IS NOT NULL OR EXISTS (SELECT 1 FROM catalog_follow f WHERE f.person_id = m.id))
  AND NOT EXISTS (SELECT 1 FROM people_consent c WHERE c.person_id = m.id
                  AND c.channel = %(channel)s AND c.purpose = %(purpose)s AND NOT c.is_given)
ORDER BY o.at DESC NULLS LAST, m.id LIMIT %(most)s
"""
_TROUBLE = """
SELECT l.product_id, count(DISTINCT d.id),
       count(DISTINCT d.id) FILTER (WHERE EXISTS (
           SELECT 1 FROM delivery_rejection r WHERE r.delivery_id = d.id AND r.state = 'granted'))
FROM delivery_delivery d JOIN orders_line l ON l.id = d.line_id
WHERE NOT l.is_gift AND d.promised_at > %(since)s GROUP BY 1
"""
_BUYERS = f"""
SELECT l.product_id, count(DISTINCT o.person_id) FILTER (WHERE o.paid_at > %(week)s), count(DISTINCT o.person_id)
FROM orders_line l JOIN orders_order o ON o.id = l.order_id
WHERE {_STANDS} AND o.paid_at > %(month)s GROUP BY 1
"""


@dataclass(frozen=True)
class OnShelf:
    """A product that is offered: its cheapest price, whether there is any now, and what the site keeps of a price."""

    product_id: int
    scene: str
    subject: str
    from_fen: int
    is_in_stock: bool
    margin: float


@dataclass(frozen=True)
class Buyers:
    """How many persons bought a product within a week, and within 30 days."""

    week: int
    month: int


Columns = tuple[NDArray[np.int64], ...]


def bought_columns() -> Columns:
    """Person, day since 1970, product and order of everything bought here and kept; gifts and guests apart."""
    return _columns(_BOUGHT, 4, BOUGHT_DAYS)


def viewed_columns() -> Columns:
    """Person, day and product of the views that may be kept."""
    return _columns(_VIEWED, 3, VIEWED_DAYS)


def often_bought_subjects() -> dict[tuple[int, str], int]:
    """(person, subject) → in how many orders, where it is more than one."""
    rows = _rows(_SUBJECTS, {"since": _ago(BOUGHT_DAYS)})
    return {(person, subject): orders for person, subject, orders in rows}


def active_persons() -> list[int]:
    """For whom lists are worth making: they bought within a year or follow something, and have not said no."""
    channel, purpose = BEHAVIOUR
    told = {"channel": channel, "purpose": purpose, "most": ACTIVE_MOST}
    return [row[0] for row in _rows(_ACTIVE, {"since": _ago(ACTIVE_DAYS), **told})]


def shelves() -> list[OnShelf]:
    """Everything offered, by product."""
    offered = Variant.objects.filter(
        state="listed", product__state="listed", product__merchant__state="active"
    )
    left = stock_of(list(offered.values_list("pk", flat=True)), at_most=1)
    there: dict[int, bool] = {}
    for variant, product in offered.values_list("pk", "product_id"):
        there[product] = there.get(product, False) or left[variant] != 0
    rows = offered.values_list(
        "product_id", "product__scene", "product__subject", "product__merchant__fee_permyriad"
    ).annotate(from_fen=Min("price_fen"))
    return [
        OnShelf(product, scene, subject, from_fen, there[product], fee / 10_000)
        for product, scene, subject, fee, from_fen in rows.order_by("product_id")
    ]


def trouble_rates() -> dict[int, float]:
    """Product → the chance that a delivery of it is taken back: its last 90 days, drawn towards those of all."""
    rows = list(_rows(_TROUBLE, {"since": _ago(TROUBLE_DAYS)}))
    delivered, taken_back = (sum(row[at] for row in rows) for at in (1, 2))
    usual = taken_back / delivered if delivered else 0.0
    return {
        product: (bad + TROUBLE_PRIOR * usual) / (all_ + TROUBLE_PRIOR)
        for product, all_, bad in rows
    }


def buyers() -> dict[int, Buyers]:
    """Product → how many bought it of late."""
    told = {"week": _ago(7), "month": _ago(30)}
    return {product: Buyers(week, month) for product, week, month in _rows(_BUYERS, told)}


def _columns(sql: str, width: int, days: int) -> Columns:
    flat = (each for row in _rows(sql, {"since": _ago(days)}) for each in row)
    table = np.fromiter(flat, dtype=np.int64).reshape(-1, width)
    return tuple(np.ascontiguousarray(table[:, at]) for at in range(width))


def _rows(sql: str, told: dict[str, Any]) -> Iterable[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"zone": settings.TIME_ZONE, **told})
        while rows := cursor.fetchmany(50_000):
            yield from rows


def _ago(days: int) -> dt.datetime:
    return clock.now() - dt.timedelta(days=days)
