"""How much is left?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from liuke.base.prepared import rows
from liuke.catalog.models import Variant
from liuke.merchants.models import Merchant

# What each variant has by itself, counted no further than asked, and what a bundle's parts allow.
_LEFT = """
WITH wanted AS (
    SELECT v.id, v.id AS part_id, 1 AS quantity FROM catalog_variant v
    WHERE v.id = ANY(%(variants)s) AND v.stock_kind <> 'bundle'
    UNION ALL
    SELECT bundle_id, part_id, quantity FROM catalog_bundle_part WHERE bundle_id = ANY(%(variants)s)
)
SELECT w.id, min(CASE p.stock_kind
    WHEN 'count' THEN least(p.stock_count / w.quantity, %(most)s)
    WHEN 'keys' THEN (SELECT count(*) FROM (
        SELECT 1 FROM catalog_card_key k WHERE k.variant_id = p.id AND k.state = 'free'
        LIMIT %(most)s::bigint * w.quantity) free) / w.quantity
    END)
FROM wanted w JOIN catalog_variant p ON p.id = w.part_id GROUP BY w.id
"""


def stock_of(variant_ids: Collection[int], at_most: int | None = None) -> dict[int, int | None]:
    """Variant id → how many can be had now; None when there is no end to it, 0 for what does not exist.

    With `at_most` nothing is counted further than that, which is quick however much there is.
    """
    given = {"variants": list(variant_ids), "most": at_most}
    left: dict[int, int | None] = dict(rows(_LEFT, given))
    return {variant_id: left.get(variant_id, 0) for variant_id in variant_ids}


@dataclass(frozen=True)
class LowStock:
    """A listed variant with no more than its mark left."""

    variant: Variant
    left: int


def low_stock(merchant: Merchant | None = None) -> list[LowStock]:
    """What somebody should order anew, the emptiest first; with `merchant`, of theirs only."""
    marked = (
        Variant.objects.filter(low_stock_at__isnull=False, state="listed", product__state="listed")
        .select_related("product__merchant")
        .order_by("id")
    )
    if merchant is not None:
        marked = marked.filter(product__merchant=merchant)
    variants = list(marked)
    most = max((variant.low_stock_at or 0 for variant in variants), default=0) + 1
    left = stock_of([variant.pk for variant in variants], at_most=most)
    found = [
        LowStock(variant, count)
        for variant in variants
        if (count := left[variant.pk]) is not None and count <= (variant.low_stock_at or 0)
    ]
    return sorted(found, key=lambda low: low.left)
