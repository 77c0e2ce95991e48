"""What time is it? One clock for the whole product, so that a simulated year runs in minutes.

Nothing else may read the time (the linter bans it), and SQL never calls `now()`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from django.conf import settings

Clock = Callable[[], dt.datetime]


def _wall() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place that reads the wall clock


_clock: Clock = _wall


def now() -> dt.datetime:
    """The present moment, aware, in UTC."""
    return _clock()


def site_zone() -> ZoneInfo:
    """The time zone in which the site counts its days."""
    return ZoneInfo(settings.TIME_ZONE)


def today() -> dt.date:
    """The present day, site-local."""
    return local_date(now())


def local_date(at: dt.datetime, zone: ZoneInfo | None = None) -> dt.date:
    """The site-local (or `zone`-local) date of a moment."""
    return at.astimezone(zone or site_zone()).date()


def end_of_day(on: dt.date, zone: ZoneInfo | None = None) -> dt.datetime:
    """The first moment after `on`, in UTC: "as of a day" means before this."""
    midnight = dt.datetime.combine(on + dt.timedelta(days=1), dt.time(), zone or site_zone())
    return midnight.astimezone(dt.UTC)


@contextmanager
def running(clock: Clock) -> Iterator[None]:
    """Let `clock` tell the time inside the block (simulator, tests)."""
    global _clock
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before


@contextmanager
def stopped_at(at: dt.datetime) -> Iterator[None]:
    """Stop the clock at an aware moment inside the block."""
    if at.tzinfo is None:
        raise ValueError("a stopped clock needs an aware datetime")
    with running(lambda: at):
        yield
