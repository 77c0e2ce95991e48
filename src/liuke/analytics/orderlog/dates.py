"""What instant, and what local day, does this cell name?

Two small caches make it fast: the day as written → its local midnight in UTC, and the time of day
as written → a span. Days on which the zone's offset changes are never cached.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .cells import NOTHING, plain
from .errors import UnknownDateOrder, UnknownTimeZone
from .lines import Refused, excerpt

ORDERS = ("dmy", "mdy", "ymd")
CACHED = 100_000

_DAY = timedelta(days=1)
_YEAR_FIRST = r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"
_YEAR_UNSURE = r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
_CELL = re.compile(
    rf"({_YEAR_FIRST}|{_YEAR_UNSURE}|\d{{8}})(?:(?:\s*T|\s+|(?<=日))(.*))?", re.ASCII
)
_PACKED = re.compile(r"(\d{8})(\d{2})(\d{2})(\d{2})?", re.ASCII)
_EPOCH = re.compile(r"(\d{9,10}|\d{13})(?:\.(\d{1,6})\d*)?", re.ASCII)
_COUNT = re.compile(r"-?\d{1,6}", re.ASCII)
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_UNSURE = re.compile(rf"({_YEAR_UNSURE})(?!\d)", re.ASCII)
_PARTS = re.compile(r"\d+", re.ASCII)
_TIME = re.compile(
    r"(?P<early>AM|PM|上午|下午)?\s*(?P<h>\d{1,2}):?(?P<m>\d{2})(?::?(?P<s>\d{2})(?:[.,](?P<f>\d+))?)?"
    r"\s*(?P<late>AM|PM)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)


def zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise UnknownTimeZone(timezone=name) from None


def order_named(order: str | None) -> str | None:
    if order is not None and order not in ORDERS:
        raise UnknownDateOrder(order=order)
    return order


def unsure_day(raw: str) -> str | None:
    """The part of a cell whose order of day, month and year its shape does not tell."""
    text = plain(raw)
    found = _UNSURE.match(text if text.isascii() else _latin(text))
    return found[1] if found else None


def day_in_order(day: str, order: str) -> date | None:
    """The date that `day` is in that order, or nothing where there is no such date."""
    parts = _PARTS.findall(day)
    if order == "ymd" and (len(parts[0]) != 2 or len(parts[2]) != 2):
        return None
    year, month, number = (int(parts[order.index(letter)]) for letter in "ymd")
    if len(parts[order.index("y")]) == 2:
        year += 1900 if year >= 69 else 2000
    return _date(year, month, number)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


class Times(dict[str, timedelta]):
    """Spans since midnight by the text they were written as; HH:MM:SS is read at once."""

    def __init__(self) -> None:
        super().__init__({"": timedelta(0)})

    def __missing__(self, text: str) -> timedelta:
        if not _CLOCK.fullmatch(text):
            raise KeyError(text)
        span = timedelta(hours=int(text[:2]), minutes=int(text[3:5]), seconds=int(text[6:]))
        self.keep(text, span)
        return span

    def keep(self, text: str, span: timedelta) -> None:
        if len(self) < CACHED:
            self[text] = span


class KnownDay(NamedTuple):
    """Local midnight in UTC, the date, and what to take from local times for UTC."""

    midnight: datetime
    on: date
    ahead: timedelta


class Days(dict[str, KnownDay]):
    """What is known of a day, by the text it was written as."""

    def __init__(self, read: Callable[[str], object]) -> None:
        super().__init__()
        self.read = read

    def __missing__(self, text: str) -> KnownDay:
        """Read it: that remembers the day, unless its clock changes or its text holds more."""
        try:
            self.read(text)
        except Refused:
            raise KeyError(text) from None
        if text not in self:
            raise KeyError(text)
        return self[text]


class Dates:
    """Reads the dates of one log. `settle` is asked once for an order when a cell needs one."""

    def __init__(
        self,
        zone: ZoneInfo,
        now: datetime,
        order: str | None,
        settle: Callable[[], str],
        day_zero: date | None = None,
    ) -> None:
        self.zone = zone
        self.day_zero = day_zero
        self.latest = now.astimezone(UTC) + _DAY
        self.order = order
        self.settle = settle
        self.separator = " "
        self.days = Days(self.slow)
        self.times = Times()
        self._local_days: dict[int, date] = {}

    def missed(self, raw: str) -> tuple[datetime, date]:
        """A cell the caller's quick look did not find: perhaps for the blanks around it."""
        text = raw.strip()
        day, _, time_of_day = text.partition(self.separator)
        known = self.days.get(day)
        span = self.times.get(time_of_day)
        if known is None or span is None:
            return self.slow(text)
        return known[0] + span, known[1]

    def slow(self, raw: str) -> tuple[datetime, date]:
        """Any cell the caches do not know: parsed, checked, and remembered where that is safe."""
        text = plain(raw)
        if text.casefold() in NOTHING:
            raise Refused("no_date")
        if not text.isascii():
            text = _latin(text)
        try:
            found = (
                self._zoned(text)
                or self._epoch(text)
                or self._counted(text)
                or self._written(text, raw)
            )
        except (ValueError, OverflowError):
            found = None
        if found is None:
            raise Refused("not_a_date", value=excerpt(raw))
        at, on = found
        if on.year < 1970:
            raise Refused("before_1970", value=excerpt(raw))
        if at > self.latest:
            raise Refused("in_the_future", value=excerpt(raw))
        return found

    def _zoned(self, text: str) -> tuple[datetime, date] | None:
        """ISO with a zone, which the standard library reads in C."""
        if len(text) < 17 or text[4] != "-" or text[10] not in "T ":
            return None
        if text[-1] != "Z" and "+" not in text[16:] and "-" not in text[16:]:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        return None if at.tzinfo is None else self._local(at.astimezone(UTC))

    def _epoch(self, text: str) -> tuple[datetime, date] | None:
        shape = _EPOCH.fullmatch(text)
        if shape is None:
            return None
        if len(shape[1]) == 13:
            span = timedelta(milliseconds=int(shape[1]))
        else:
            micro = int((shape[2] or "").ljust(6, "0"))
            span = timedelta(seconds=int(shape[1]), microseconds=micro)
        return self._local(datetime(1970, 1, 1, tzinfo=UTC) + span)

    def _counted(self, text: str) -> tuple[datetime, date] | None:
        """A number of days since day zero; longer numbers are dates or instants of their own."""
        if self.day_zero is None or _COUNT.fullmatch(text) is None:
            return None
        midnight = datetime.combine(self.day_zero + timedelta(days=int(text)), time.min)
        return self._local(midnight.replace(tzinfo=self.zone).astimezone(UTC))

    def _local(self, at: datetime) -> tuple[datetime, date]:
        """The local date of an instant, remembered for each hour that lies within one day."""
        hour = at.toordinal() * 24 + at.hour
        on = self._local_days.get(hour)
        if on is None:
            start = at.replace(minute=0, second=0, microsecond=0)
            on = at.astimezone(self.zone).date()
            last = (start + timedelta(minutes=59, seconds=59)).astimezone(self.zone).date()
            if last == start.astimezone(self.zone).date() and len(self._local_days) < CACHED:
                self._local_days[hour] = on
        return at, on

    def _written(self, text: str, raw: str) -> tuple[datetime, date] | None:
        shape = _CELL.fullmatch(_packed(text))
        if shape is None:
            return None
        day = self._day(shape[1])
        if day is None:
            return None
        written = (shape[2] or "").strip()
        span, zone = _time(written)
        midnight = datetime.combine(day, time.min)
        if zone is not None:
            return self._local((midnight + span - zone).replace(tzinfo=UTC))
        at = (midnight + span).replace(tzinfo=self.zone).astimezone(UTC)
        self._remember(raw, shape[1], written, span, midnight)
        return at, at.astimezone(self.zone).date()

    def _day(self, day: str) -> date | None:
        if day.isdigit():
            return _date(int(day[:4]), int(day[4:6]), int(day[6:]))
        if day[:4].isdigit():
            year, month, number = map(int, _PARTS.findall(day))
            return _date(year, month, number)
        if self.order is None:
            self.order = self.settle()
        found = day_in_order(day, self.order)
        if found is None:
            raise Refused("not_in_date_order", value=excerpt(day), order=self.order)
        return found

    def _remember(
        self, raw: str, day: str, written: str, span: timedelta, midnight: datetime
    ) -> None:
        """Keep the day and the time of day as they were written, where the day has one offset."""
        if raw.startswith(day) and raw[len(day) : len(day) + 1] in ("T", " "):
            self.separator = raw[len(day)]
        if raw.partition(self.separator)[::2] != (day, written):
            return
        self.times.keep(written, span)
        if midnight.year < 1970 or day in self.days:
            return
        noted = self._whole_day(midnight)
        if noted is not None and noted[0] < self.latest - 2 * _DAY:
            if len(self.days) >= CACHED:
                self.days.clear()
            self.days[day] = noted

    def _whole_day(self, midnight: datetime) -> KnownDay | None:
        """Local midnight in UTC, unless the zone's clock changes between it and the next one."""
        start = midnight.replace(tzinfo=self.zone)
        steps = (start.replace(hour=hour, minute=half) for hour in range(24) for half in (0, 59))
        at = start.astimezone(UTC)
        if len({step.utcoffset() for step in steps}) > 1:
            return None
        was_skipped = at.astimezone(self.zone).date() != midnight.date()  # Samoa, 30 December 2011
        if was_skipped:
            return None
        return KnownDay(at, midnight.date(), midnight.replace(tzinfo=UTC) - at)


def _time(written: str) -> tuple[timedelta, timedelta | None]:
    if not written:
        return timedelta(0), None
    shape = _TIME.fullmatch(written)
    if shape is None:
        raise ValueError(written)
    half = (shape["early"] or shape["late"] or "").upper()
    hour, minute, second = int(shape["h"]), int(shape["m"]), int(shape["s"] or 0)
    if half:
        if not 1 <= hour <= 12 and not (hour == 0 and half in "AM上午"):
            raise ValueError(written)
        hour = hour % 12 + (12 if half in ("PM", "下午") else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(written)
    micro = int((shape["f"] or "0")[:6].ljust(6, "0"))
    span = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)
    return span, _offset(shape["zone"])


def _packed(text: str) -> str:
    """20240305123000 written apart; anything else as it is."""
    shape = _PACKED.fullmatch(text)
    if shape is None:
        return text[:8] if text[8:] == ".0" else text
    return f"{shape[1]} {shape[2]}:{shape[3]}:{shape[4] or '00'}"


def _latin(text: str) -> str:
    """Full-width digits and Chinese clock words in plain signs."""
    text = unicodedata.normalize("NFKC", text)
    for word, sign in (("点", ":"), ("时", ":"), ("秒", "")):
        text = text.replace(word, sign)
    return re.sub(r"分(?=\d)", ":", text).replace("分", "")


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone[0] not in "+-":
        return timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -span if zone[0] == "-" else span
