"""Notice, once, that something is running out."""

from __future__ import annotations

from django.db import transaction

from liuke.catalog.events import StockLow
from liuke.catalog.models import Variant
from liuke.catalog.queries.stock import low_stock
from liuke.events.actions import publish_many


@transaction.atomic
def watch_stock() -> int:
    """Publish `StockLow` for what has fallen to its mark since the last look; how many.

    What is above its mark again will be told again. Two who look at once tell one thing once.
    """
    low = {each.variant.pk: each.left for each in low_stock()}
    known = set(Variant.objects.filter(is_low=True).values_list("pk", flat=True))
    Variant.objects.filter(pk__in=known - low.keys()).update(is_low=False)
    fallen = []
    for variant_id in sorted(low.keys() - known):
        if Variant.objects.filter(pk=variant_id, is_low=False).update(is_low=True):
            fallen.append(variant_id)
    products = dict(Variant.objects.filter(pk__in=fallen).values_list("pk", "product_id"))
    publish_many(StockLow(pk, products[pk], low[pk]) for pk in fallen)
    return len(fallen)
