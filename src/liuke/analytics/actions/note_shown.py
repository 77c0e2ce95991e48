"""Write down what a member was shown and what of it they opened; and forget it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection, transaction

from liuke.analytics.models import Showing, Suggestion
from liuke.analytics.showing import SHOWN_MOST
from liuke.people.queries import may_be_noted

# As every note of behaviour: none is written after somebody said no, or was erased.
_BESIDE_OTHERS = "SELECT pg_advisory_xact_lock_shared(hashtext('analytics.behaviour'))"
# A second page at the same moment adds to what the first has written.
_NOTE = """
INSERT INTO analytics_showing AS kept (person_id, "on", slot, products, reasons, clicks)
VALUES (%(person)s, %(on)s, %(slot)s, %(products)s, %(reasons)s, '{}')
ON CONFLICT (person_id, "on", slot) DO UPDATE SET
    products = kept.products || ARRAY(
        SELECT f.product FROM unnest(excluded.products, excluded.reasons) WITH ORDINALITY f (product, reason, n)
        WHERE f.product <> ALL (kept.products) ORDER BY f.n),
    reasons = kept.reasons || ARRAY(
        SELECT f.reason FROM unnest(excluded.products, excluded.reasons) WITH ORDINALITY f (product, reason, n)
        WHERE f.product <> ALL (kept.products) ORDER BY f.n)
WHERE cardinality(kept.products) + cardinality(excluded.products) <= %(most)s
"""
_CLICK = """
UPDATE analytics_showing SET clicks = clicks || %(product)s::bigint
WHERE person_id = %(person)s AND "on" = %(on)s AND slot = %(slot)s
  AND %(product)s = ANY (products) AND %(product)s <> ALL (clicks)
"""


@transaction.atomic
def note_shown(*, person_id: int, on: dt.date, shown: Mapping[str, Mapping[int, str]]) -> None:
    """A person was shown these on a day: slot → product → reason. Each product of a slot counts once a day, none for
    who wants no notes.

    Who has not yet seen which product today is for the caller to know: it asks for the lists in the same query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE_OTHERS)
        if not may_be_noted([person_id]):
            return
        for slot, products in sorted(shown.items()):
            told: dict[str, Any] = {
                "person": person_id,
                "on": on,
                "slot": slot,
                "products": list(products),
                "reasons": list(products.values()),
                "most": SHOWN_MOST,
            }
            if products:
                cursor.execute(_NOTE, told)


@transaction.atomic
def note_clicked(*, person_id: int, on: dt.date, slot: str, product_id: int) -> bool:
    """A person opened a product from a slot in which it was shown to them on that day; False when it was not, or when
    that is known already.
    """
    told: dict[str, Any] = {"person": person_id, "on": on, "slot": slot, "product": product_id}
    with connection.cursor() as cursor:
        cursor.execute(_CLICK, told)
        return bool(cursor.rowcount)


@transaction.atomic
def forget_shown(*, person_ids: Collection[int]) -> None:
    """Delete the lists of these persons, and all that they were shown: they are erased, or want none of it.

    For `forget_behaviour`, which waits until no note is on its way.
    """
    Suggestion.objects.filter(person__in=person_ids).delete()
    Showing.objects.filter(person__in=person_ids).delete()
