"""Make the lists of members anew, and count what came of the last ones. Here, because the lot decides who gets any.

Only for short-lived processes: it loads the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import connection

from liuke.analytics.actions.keep_showing_report import LEAST, keep_showing_report
from liuke.analytics.actions.make_lists import Lot, Made, make_lists
from liuke.analytics.models import Source
from liuke.analytics.queries.shop_lines import active_persons
from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.gate import BUCKET
from liuke.engagement.models import HoldOut
from liuke.engagement.queries.results import Effect, Results, holdout_results, lists_results
from liuke.people.rules import SITE_SOURCE

Json = dict[str, Any]

# Once drawn it stays: the same lot that keeps a person out of marketing.
_DRAW = f"""
INSERT INTO engagement_hold_out (person_id, bucket, share_permyriad, is_held_out, drawn_at)
SELECT id, bucket, %(share)s, bucket < %(share)s, %(at)s
FROM (SELECT p.id, {BUCKET.format(salt="%(salt)s::text", reference="p.reference")} AS bucket
      FROM people_member p WHERE p.id = ANY (%(persons)s)) fresh
ORDER BY id ON CONFLICT (person_id) DO NOTHING
"""


def renew_lists() -> Made:
    """Draw who has no lot yet, choose for everybody else, and count. Safe to repeat."""
    persons = active_persons()
    made = make_lists(lots=_lots(persons))
    site = Source.objects.filter(key=SITE_SOURCE).first()
    compared = _comparison(lists_results(site)) if site else None
    keep_showing_report(comparison=compared, claims=_claims(site))
    return made


def _lots(persons: Sequence[int]) -> dict[int, Lot]:
    told: dict[str, Any] = {
        "persons": list(persons),
        "share": queries.policy().holdout_permyriad,
        "salt": queries.switch().salt,
        "at": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_DRAW, told)
    drawn = HoldOut.objects.filter(person__in=persons)
    rows = drawn.values_list("person_id", "is_held_out", "share_permyriad")
    return {person: Lot(is_held_out, share) for person, is_held_out, share in rows}


def _comparison(results: Results) -> Json:
    """What a page shows of it: rates and differences 0 to 1, money in minor units."""
    return {
        "verdict": results.verdict,
        "says": results.sentence_key,
        "params": results.sentence_params,
        "window_days": results.window_days,
        "drawn": results.drawn,
        "whole": results.whole,
        "treated": asdict(results.treated),
        "control": asdict(results.control),
        "came_back": _interval(results.deciding),
        "orders": _interval(results.orders),
        "money": _interval(results.money),
    }


def _interval(effect: Effect | None) -> list[float] | None:
    return [effect.difference, effect.low, effect.high] if effect else None


def _claims(site: Source | None) -> list[Json]:
    """What only this room can say to the sources' claims."""
    if site is None:
        return [{"key": key, "state": "too_few"} for key in ("rfm", "leaving")]
    found, told = holdout_results(site), queries.leave_reasons(site)
    effect, money = found.deciding, found.money
    is_seen = effect is not None and found.whole >= LEAST
    return [
        {
            "key": "rfm",
            "state": "measured" if is_seen else "too_few",
            "whole": found.whole,
            "came_back": _interval(effect),
            "money": _interval(money),
            "control_rate": found.control.rate,
            "control_fen_each": found.control.net_fen_each,
        },
        {
            "key": "leaving",
            "state": "measured" if told.told >= LEAST else "too_few",
            "told": told.told,
            "counts": dict(told.counts),
        },
    ]
