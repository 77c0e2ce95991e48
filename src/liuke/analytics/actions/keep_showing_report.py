"""Count what came of what was shown, and keep it for the pages: rates with intervals, and the claims beside ours.

Only for short-lived processes: it loads the arithmetic.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from liuke.analytics.models import Showing, ShowingReport
from liuke.analytics.queries import showing_counts as asked
from liuke.analytics.queries.showing_counts import Count
from liuke.analytics.showing import ATTRIBUTED_DAYS, KEPT_DAYS, SLOTS
from liuke.base import clock
from liuke.science.intervals import rate_difference, wilson_interval

Json = dict[str, Any]

PERIOD_DAYS = 28
LEAST = 20
"""Out of fewer a rate is not worth saying."""


@transaction.atomic
def keep_showing_report(*, comparison: Json | None, claims: Sequence[Json] = ()) -> Json:
    """The report of today, in place of an earlier one. `comparison` is own lists against the held-out; `claims` are
    those answered by rooms above. Showings older than 90 days are deleted.
    """
    today = clock.today()
    Showing.objects.filter(on__lt=today - dt.timedelta(days=KEPT_DAYS)).delete()
    ShowingReport.objects.filter(on__lt=today - dt.timedelta(days=KEPT_DAYS)).delete()
    report = {
        **_shown(today),
        "comparison": comparison,
        "claims": [_first_order(), _levels(), _solved(), *claims],
    }
    ShowingReport.objects.update_or_create(
        on=today, defaults={"made_at": clock.now(), "report": report}
    )
    return report


def _shown(today: dt.date) -> Json:
    """Four weeks whose purchases are all in; while there are none, all days so far, which is said."""
    last = today - dt.timedelta(days=ATTRIBUTED_DAYS + 1)
    first = last - dt.timedelta(days=PERIOD_DAYS - 1)
    persons, began = asked.persons_shown(first, last)
    is_partial = not persons
    if is_partial:
        last = today
        persons, began = asked.persons_shown(first, last)
    rows = asked.counts(first, last)
    by_slot = {slot: [row for row in rows if row.slot == slot] for slot in SLOTS}
    return {
        "from": (began or first).isoformat(),
        "until": last.isoformat(),
        "is_partial": is_partial,
        "persons": persons,
        "all": _figures("", "", rows),
        "slots": [_figures(slot, "", own) for slot, own in by_slot.items() if own],
        "rows": [_figures(row.slot, row.reason, [row]) for own in by_slot.values() for row in own],
    }


def _figures(slot: str, reason: str, rows: Sequence[Count]) -> Json:
    shown, clicked, bought, money = (
        sum(getattr(row, name) for row in rows)
        for name in ("shown", "clicked", "bought", "money_fen")
    )
    return {
        "slot": slot,
        "reason": reason,
        "shown": shown,
        "clicked": clicked,
        "bought": bought,
        "money_fen": money,
        "click_rate": _rate(clicked, shown),
        "buy_rate": _rate(bought, shown),
    }


def _rate(won: int, of: int) -> list[float] | None:
    """A rate and its interval; None out of nothing."""
    if not of:
        return None
    found = wilson_interval([won], [of])
    return [float(found.rate[0]), float(found.low[0]), float(found.high[0])]


def _first_order() -> Json:
    found = asked.new_members()
    return {
        "key": "first_order",
        "state": "measured" if min(found.came, found.bought) >= LEAST else "too_few",
        "came": found.came,
        "bought": found.bought,
        "ordered_rate": _rate(found.ordered, found.came),
        "stayed_rate": _rate(found.stayed, found.bought),
    }


def _levels() -> Json:
    higher, lowest = asked.level_groups()
    months = asked.LEVEL_DAYS / 30
    return {
        "key": "levels",
        "state": "measured" if min(higher.persons, lowest.persons) >= LEAST else "too_few",
        "higher": higher.persons,
        "lowest": lowest.persons,
        "higher_a_month": higher.orders / higher.persons / months if higher.persons else None,
        "lowest_a_month": lowest.orders / lowest.persons / months if lowest.persons else None,
        "gone": _difference(higher.gone, higher.persons, lowest.gone, lowest.persons),
    }


def _solved() -> Json:
    found = asked.solved_troubles()
    return {
        "key": "solved",
        "state": "measured" if min(found.fast, found.slow) >= LEAST else "too_few",
        "fast": found.fast,
        "slow": found.slow,
        "fast_rate": _rate(found.fast_back, found.fast),
        "slow_rate": _rate(found.slow_back, found.slow),
        "more": _difference(found.fast_back, found.fast, found.slow_back, found.slow),
    }


def _difference(won: int, of: int, other_won: int, other_of: int) -> list[float] | None:
    if not of or not other_of:
        return None
    found = rate_difference(won, of, other_won, other_of)
    return [found.difference, found.low, found.high]
