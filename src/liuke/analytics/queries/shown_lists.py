"""What may this member be shown, and what do many buy?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from liuke.analytics.models import Alongside, Popular, Showing
from liuke.analytics.showing import ATTRIBUTED_DAYS as ATTRIBUTED_DAYS
from liuke.analytics.showing import SLOTS as SLOTS
from liuke.analytics.showing import is_followed_news as is_followed_news
from liuke.people.rules import BEHAVIOUR

# The member's lists, what was noted of today, and whether they said no: one round trip for a page that all ask for.
_LISTS = """
SELECT s.slot, s.place, s.product_id, s.reason, b.title, s.times, s.was_fen, NULL::bigint[]
FROM analytics_suggestion s LEFT JOIN catalog_product b ON b.id = s.because_id
WHERE s.person_id = %(person)s
UNION ALL
SELECT slot, 0, NULL, NULL, NULL, NULL, NULL, products
FROM analytics_showing WHERE person_id = %(person)s AND "on" = %(on)s
UNION ALL
SELECT 'refused', -1, NULL, NULL, NULL, NULL, NULL, NULL FROM people_consent
WHERE person_id = %(person)s AND channel = %(channel)s AND purpose = %(purpose)s AND NOT is_given
UNION ALL
SELECT 'held_out', -2, NULL, NULL, NULL, NULL, NULL, NULL FROM analytics_listed
WHERE person_id = %(person)s AND is_held_out
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Suggested:
    """A product and why: `because` is the title of the member's own that speaks for it."""

    slot: str
    product_id: int
    reason: str
    because: str = ""
    times: int = 0
    was_fen: int | None = None


@dataclass(frozen=True)
class OwnLists:
    """Of one member: the lists made for them, best first; what they were shown today already, slot → products; and
    whether they refuse both. Who is held out, or not known yet, has no lists.
    """

    suggested: tuple[Suggested, ...]
    noted: dict[str, frozenset[int]]
    is_refused: bool = False
    is_held_out: bool = False

    def of(self, slot: str) -> list[Suggested]:
        return [each for each in self.suggested if each.slot == slot]


def own_lists(person_id: int, on: dt.date) -> OwnLists:
    """The lists of a member, in one query."""
    channel, purpose = BEHAVIOUR
    told: dict[str, Any] = {"person": person_id, "on": on, "channel": channel, "purpose": purpose}
    with connection.cursor() as cursor:
        cursor.execute(_LISTS, told)
        rows = cursor.fetchall()
    said = {row[0] for row in rows if row[1] < 0}
    return OwnLists(
        suggested=() if said else tuple(_suggested(row) for row in rows if row[1] > 0),
        noted={row[0]: frozenset(row[7]) for row in rows if row[1] == 0},
        is_refused="refused" in said,
        is_held_out="held_out" in said,
    )


def _suggested(row: Sequence[Any]) -> Suggested:
    slot, _, product_id, reason, because, times, was_fen, _ = row
    return Suggested(slot, product_id, reason, because or "", times, was_fen)


def popular(scene: str = "") -> list[Suggested]:
    """What many buy in a scene, then at all, best first: the same for everybody."""
    rows = list(Popular.objects.filter(scene__in={scene, ""}).order_by("-scene", "place"))
    found: dict[int, Suggested] = {}
    for row in rows:
        reason = "popular_in_scene" if row.scene else "popular_week" if row.persons else ""
        each = Suggested("popular", row.product_id, reason or "popular_lately", times=row.persons)
        found.setdefault(row.product_id, each)
    return list(found.values())


def alongside(product_ids: Sequence[int]) -> list[Suggested]:
    """What goes with these products, themselves left out; the best of each first."""
    rows = Alongside.objects.filter(product__in=product_ids).exclude(other__in=product_ids)
    found: dict[int, Suggested] = {}
    for row in rows.select_related("product").order_by("place", "product"):
        told = Suggested("alongside", row.other_id, "goes_with", row.product.title)
        found.setdefault(row.other_id, told)
    return list(found.values())


def shown_told(person_id: int) -> list[dict[str, Any]]:
    """All that is kept of what a person was shown, to be handed over: JSON values only."""
    rows = Showing.objects.filter(person=person_id).order_by("on", "slot")
    return [
        {
            "on": row.on.isoformat(),
            "slot": row.slot,
            "products": row.products,
            "reasons": row.reasons,
            "clicked": row.clicks,
        }
        for row in rows
    ]
