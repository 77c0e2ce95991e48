"""At which moments may a member be reached? Exact on the clocks of their zone, where days have 23 hours or none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOOK_AHEAD = dt.timedelta(days=8)
_DAY = dt.timedelta(days=1)
_STEP = dt.timedelta(hours=3)  # no zone changes its clocks twice within three hours
_SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True)
class Hours:
    """When one member may be reached: in the site's window and outside their own quiet hours, in each of `zones`.

    Quiet hours may span midnight (22:00 to 8:00); equal ends, or None, are no quiet hours.
    """

    allowed_from: dt.time
    allowed_until: dt.time
    zones: tuple[str, ...]
    quiet_from: dt.time | None = None
    quiet_until: dt.time | None = None

    def allow(self, at: dt.datetime) -> bool:
        """Whether the member may be reached at this aware moment."""
        return all(self._allows(at.astimezone(_zone(name)).time()) for name in self.zones)

    def _allows(self, clock: dt.time) -> bool:
        return self.allowed_from <= clock < self.allowed_until and not self._is_quiet(clock)

    def _is_quiet(self, clock: dt.time) -> bool:
        if self.quiet_from is None or self.quiet_until is None:
            return False
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= clock < self.quiet_until
        return clock >= self.quiet_from or clock < self.quiet_until

    def next_allowed(self, at: dt.datetime) -> dt.datetime | None:
        """The first moment from `at` on at which `allow` holds; None when there is none in eight days.

        It begins where a clock strikes the opening hour or the end of the quiet ones, or where clocks are changed.
        """
        at = at.astimezone(dt.UTC)
        if self.allow(at):
            return at
        return min(
            (
                moment
                for name in self.zones
                for moment in self._openings(name, at)
                if self.allow(moment)
            ),
            default=None,
        )

    def _openings(self, name: str, at: dt.datetime) -> Iterator[dt.datetime]:
        end, zone = at + LOOK_AHEAD, _zone(name)
        strikes = [self.allowed_from, *([self.quiet_until] if self.quiet_until else [])]
        day = at.astimezone(zone).date() - _DAY
        while day <= end.astimezone(zone).date():
            for clock in strikes:
                for fold in (0, 1):
                    local = dt.datetime.combine(day, clock, zone).replace(fold=fold)
                    moment = local.astimezone(dt.UTC)
                    if at < moment <= end:
                        yield moment
            day += _DAY
        yield from changes(name, at, end)


def changes(name: str, start: dt.datetime, end: dt.datetime) -> Iterator[dt.datetime]:
    """The moments in (start, end] at which a zone's clocks are put forward or back, to the second."""
    zone = _zone(name)

    def offset(moment: dt.datetime) -> dt.timedelta | None:
        return moment.astimezone(zone).utcoffset()

    while start < end:
        later = min(start + _STEP, end)
        if offset(start) != offset(later):
            before, after = start, later
            while after - before > _SECOND:
                middle = before + (after - before) / 2
                if offset(middle) == offset(start):
                    before = middle
                else:
                    after = middle
            yield after.replace(microsecond=0)
        start = later


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone_or(name: str, otherwise: str) -> str:
    """The IANA zone of that name; `otherwise` when there is none."""
    try:
        return _zone(name).key if name else otherwise
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return otherwise
