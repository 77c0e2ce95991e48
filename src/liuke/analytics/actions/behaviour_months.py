"""The months of behaviour: made ahead, dropped when they are old. A month is one of UTC and a table of its own."""

from __future__ import annotations

import datetime as dt
import re

from django.conf import settings
from django.db import connection, transaction

from liuke.base import clock

_AHEAD = 2
_TABLE = "analytics_behaviour"
_NAME = re.compile(rf"{_TABLE}_(\d{{4}})_(\d{{2}})")
_MONTHS = f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{_TABLE}'::regclass"
# Who reads or writes is not kept waiting for long: the next night comes.
_HURRY = "SET LOCAL lock_timeout = '5s'"
# What came before its month was made moves into it.
_MAKE = f"""
CREATE TABLE {{month}} (LIKE {_TABLE} INCLUDING ALL);
WITH moved AS (DELETE FROM {_TABLE}_other WHERE at >= '{{first}}' AND at < '{{next}}' RETURNING *)
INSERT INTO {{month}} SELECT * FROM moved;
ALTER TABLE {_TABLE} ATTACH PARTITION {{month}} FOR VALUES FROM ('{{first}}') TO ('{{next}}');
"""


def keep_months() -> tuple[int, int]:
    """See that this month and the next two have their tables, and drop those that are too old; how many of each.

    The setting says how many whole months are kept beside the present one.
    """
    today = clock.now().date()
    made = make_months(since=today, until=_shifted(today, _AHEAD))
    return made, drop_months(before=_shifted(today, -settings.LIUKE_BEHAVIOUR_MONTHS))


@transaction.atomic
def make_months(*, since: dt.date, until: dt.date) -> int:
    """See that every month from one day's to another's has its table; how many were made."""
    known, made, month = set(months()), 0, since.replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(_HURRY)
        while month <= until:
            following = _shifted(month, 1)
            if month not in known:
                name = f"{_TABLE}_{month:%Y_%m}"
                first, end = f"{month}T00:00:00Z", f"{following}T00:00:00Z"
                cursor.execute(_MAKE.format(month=name, first=first, next=end))
                made += 1
            month = following
    return made


@transaction.atomic
def drop_months(*, before: dt.date) -> int:
    """Drop every month before that of a day, and what of them had no table of its own; how many tables."""
    first = before.replace(day=1)
    old = [month for month in months() if month < first]
    with connection.cursor() as cursor:
        cursor.execute(_HURRY)
        for month in old:
            cursor.execute(f"DROP TABLE {_TABLE}_{month:%Y_%m}")
        cursor.execute(f"DELETE FROM {_TABLE}_other WHERE at < '{first}T00:00:00Z'")
    return len(old)


def months() -> list[dt.date]:
    """The first day of every month that has a table, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS)
        found = [_NAME.fullmatch(name) for (name,) in cursor.fetchall()]
    return sorted(dt.date(int(name[1]), int(name[2]), 1) for name in found if name)


def _shifted(day: dt.date, count: int) -> dt.date:
    """The first day of the month so many months from that of a day."""
    number = day.year * 12 + day.month - 1 + count
    return dt.date(number // 12, number % 12 + 1, 1)
