"""Close a day of the book: nothing in it can be changed afterwards without its hash telling."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction

from liuke.base import clock
from liuke.ledger.models import Day

_CLOSE = """
INSERT INTO ledger_day (closed_on, last_entry_id, entry_count, hash, closed_at)
SELECT %(on)s, %(last)s, (SELECT count(*) FROM ledger_entry WHERE id > %(after)s AND id <= %(last)s),
       ledger_day_hash(%(before)s, %(after)s, %(last)s), %(at)s
ON CONFLICT (closed_on) DO NOTHING
"""
_CHECKPOINTS = """
INSERT INTO ledger_checkpoint (account_id, day_id, sum_fen)
SELECT moved.account_id, %(on)s, moved.sum_fen + coalesce((
           SELECT c.sum_fen FROM ledger_checkpoint c WHERE c.account_id = moved.account_id
           ORDER BY c.day_id DESC LIMIT 1), 0)
FROM (SELECT l.account_id, sum(l.amount_fen)::bigint AS sum_fen
      FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id
      WHERE a.balance_fen IS NULL AND l.entry_id > %(after)s AND l.entry_id <= %(last)s
      GROUP BY l.account_id) moved
"""


def close_day(on: dt.date) -> bool:
    """Close the book up to now under the name of a day; False when that day or a later one is closed.

    What was booked since the last closing belongs to it: a day is what lies between two closings. Writers wait only
    while the highest entry is looked up.
    """
    if Day.objects.filter(closed_on__gte=on).exists():
        return False
    return _close(on, _last_entry_id())


@transaction.atomic
def _last_entry_id() -> int:
    """Below it no entry can still appear: whoever writes entries is waited for, and ids go to those who write."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_entry IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT coalesce(max(id), 0) FROM ledger_entry")
        (last_entry_id,) = cursor.fetchone()
    return int(last_entry_id)


@transaction.atomic
def _close(on: dt.date, last_entry_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_day IN SHARE ROW EXCLUSIVE MODE")  # one closes at a time
        before = Day.objects.order_by("-closed_on").first()
        if before is not None and before.closed_on >= on:
            return False
        told: dict[str, Any] = {
            "on": on,
            "at": clock.now(),
            "last": last_entry_id,
            "after": before.last_entry_id if before else 0,
            "before": bytes(before.hash) if before else b"",
        }
        cursor.execute(_CLOSE, told)
        cursor.execute(_CHECKPOINTS, told)
    return True
