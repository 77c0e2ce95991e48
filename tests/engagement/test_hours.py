"""May this member be reached at this moment, and if not, when? On real clocks, with their gaps, folds and lost days."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from liuke.engagement.hours import LOOK_AHEAD, Hours, changes, zone_or

DAY = (dt.time(9), dt.time(20, 30))
MINUTE = dt.timedelta(minutes=1)


def hours(
    *zones: str, quiet: tuple[str, str] | None = None, day: tuple[str, str] = ("09:00", "20:30")
) -> Hours:
    opening, closing = map(dt.time.fromisoformat, day)
    if quiet is None:
        return Hours(opening, closing, zones)
    return Hours(opening, closing, zones, *map(dt.time.fromisoformat, quiet))


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("zone", "day", "quiet", "asked", "allowed"),
    [
        # Shanghai has no summer time: nine o'clock is one o'clock UTC, and the window is open until 20:30.
        ("Asia/Shanghai", ("09:00", "20:30"), None, "2026-03-15 00:59:59", "2026-03-15 01:00"),
        ("Asia/Shanghai", ("09:00", "20:30"), None, "2026-03-15 01:00", "2026-03-15 01:00"),
        ("Asia/Shanghai", ("09:00", "20:30"), None, "2026-03-15 12:29:59.5", "2026-03-15 12:29:59.5"),
        ("Asia/Shanghai", ("09:00", "20:30"), None, "2026-03-15 12:30", "2026-03-16 01:00"),
        # Kathmandu is 5:45 ahead.
        ("Asia/Kathmandu", ("09:00", "20:30"), None, "2026-03-15 02:00", "2026-03-15 03:15"),
        # Berlin, the night clocks go forward (29 March 2026, 2:00 becomes 3:00) and back (25 October, 3:00 → 2:00).
        ("Europe/Berlin", ("09:00", "20:30"), None, "2026-03-28 20:00", "2026-03-29 07:00"),
        ("Europe/Berlin", ("09:00", "20:30"), None, "2026-10-24 20:00", "2026-10-25 08:00"),
        # An opening hour inside the gap does not exist that day: the first moment after the gap is it.
        ("Europe/Berlin", ("02:30", "20:30"), None, "2026-03-29 00:30", "2026-03-29 01:00"),
        # An opening hour that comes twice: the first one.
        ("Europe/Berlin", ("02:30", "20:30"), None, "2026-10-25 00:00", "2026-10-25 00:30"),
        # In the repeated hour the window closes again: 2:50 summer time is open, 2:10 winter time is not.
        ("Europe/Berlin", ("02:30", "20:30"), None, "2026-10-25 00:50", "2026-10-25 00:50"),
        ("Europe/Berlin", ("02:30", "20:30"), None, "2026-10-25 01:10", "2026-10-25 01:30"),
        # The end of the quiet hours inside the gap, and inside the fold.
        ("America/New_York", ("00:00", "23:59"), ("22:00", "02:30"), "2026-03-08 06:00", "2026-03-08 07:00"),
        ("America/New_York", ("00:00", "23:59"), ("22:00", "01:30"), "2026-11-01 05:10", "2026-11-01 05:30"),
        ("America/New_York", ("00:00", "23:59"), ("22:00", "01:30"), "2026-11-01 06:10", "2026-11-01 06:30"),
        # Lord Howe moves by half an hour: on 5 April 2026 at 2:00 back to 1:30, on 4 October at 2:00 on to 2:30.
        ("Australia/Lord_Howe", ("09:00", "20:30"), None, "2026-04-04 12:00", "2026-04-04 22:30"),
        ("Australia/Lord_Howe", ("09:00", "20:30"), None, "2026-10-03 12:00", "2026-10-03 22:00"),
        ("Australia/Lord_Howe", ("02:15", "20:30"), None, "2026-10-03 15:00", "2026-10-03 15:30"),
        # Apia went without 30 December 2011: after Thursday evening comes Saturday morning.
        ("Pacific/Apia", ("09:00", "20:30"), None, "2011-12-30 07:00", "2011-12-30 19:00"),
    ],
)  # fmt: skip
def test_the_next_allowed_moment(
    zone: str, day: tuple[str, str], quiet: tuple[str, str] | None, asked: str, allowed: str
) -> None:
    assert hours(zone, day=day, quiet=quiet).next_allowed(utc(asked)) == utc(allowed)


def test_quiet_hours_may_span_midnight_and_equal_ends_are_none() -> None:
    night = hours("Asia/Shanghai", quiet=("21:00", "10:30"))
    assert night.next_allowed(utc("2026-03-15 01:00")) == utc("2026-03-15 02:30")
    noon = hours("Asia/Shanghai", quiet=("12:00", "14:00"))
    assert noon.next_allowed(utc("2026-03-15 04:00")) == utc("2026-03-15 06:00")
    assert noon.allow(utc("2026-03-15 03:59"))
    assert hours("Asia/Shanghai", quiet=("12:00", "12:00")).allow(utc("2026-03-15 04:00"))


def test_an_unknown_zone_means_every_possible_one_at_once() -> None:
    both = hours("Asia/Shanghai", "Europe/Berlin")  # 9:00 in Berlin is 16:00 in Shanghai
    assert both.next_allowed(utc("2026-03-15 01:00")) == utc("2026-03-15 08:00")
    assert both.next_allowed(utc("2026-03-15 12:30")) == utc("2026-03-16 08:00")


def test_no_common_hour_or_a_member_who_is_always_quiet_is_never() -> None:
    assert hours("Asia/Shanghai", "America/New_York").next_allowed(utc("2026-06-01 00:00")) is None
    assert (
        hours("Asia/Shanghai", quiet=("08:00", "21:00")).next_allowed(utc("2026-06-01 00:00"))
        is None
    )


def test_changes_are_found_to_the_second() -> None:
    found = list(changes("Europe/Berlin", utc("2026-01-01 00:00"), utc("2026-12-31 00:00")))
    assert found == [utc("2026-03-29 01:00"), utc("2026-10-25 01:00")]
    assert list(changes("Asia/Shanghai", utc("2026-01-01 00:00"), utc("2026-12-31 00:00"))) == []


def test_a_zone_that_does_not_exist_is_the_other_one() -> None:
    assert zone_or("Asia/Tokyo", "Asia/Shanghai") == "Asia/Tokyo"
    for name in ("", "Mars/Base", "../etc/passwd", "/etc/passwd", "Asia"):
        assert zone_or(name, "Asia/Shanghai") == "Asia/Shanghai"


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Shanghai", "Pacific/Apia",
         "Africa/Casablanca", "America/Caracas", "Asia/Gaza", "UTC")  # fmt: skip
minutes = st.integers(0, 24 * 60 - 1).map(lambda m: dt.time(m // 60, m % 60))


@st.composite
def rules(draw: st.DrawFn) -> Hours:
    opening, closing = sorted((draw(minutes), draw(minutes)))
    quiet = draw(st.none() | st.tuples(minutes, minutes))
    zones = tuple(draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True)))
    return Hours(opening, closing, zones, *(quiet or (None, None)))


def slowly(rule: Hours, at: dt.datetime) -> dt.datetime | None:
    """Walk minute by minute, with arithmetic of our own: minutes of the local day, no `Hours` code."""

    def minute(clock: dt.time) -> int:
        return clock.hour * 60 + clock.minute

    zones = [ZoneInfo(name) for name in rule.zones]
    moment = at
    while moment <= at + LOOK_AHEAD:
        for zone in zones:
            now = minute(moment.astimezone(zone).time())
            if not minute(rule.allowed_from) <= now < minute(rule.allowed_until):
                break
            if rule.quiet_from is not None and rule.quiet_until is not None:
                since, length = (
                    (now - minute(rule.quiet_from)) % 1440,
                    (minute(rule.quiet_until) - minute(rule.quiet_from)) % 1440,
                )
                if since < length:
                    break
        else:
            return moment
        moment += MINUTE
    return None


@settings(max_examples=150, deadline=None)
@example(Hours(dt.time(2, 30), dt.time(3), ("Europe/Berlin",)), utc("2026-03-28 02:00"))
@example(Hours(dt.time(1, 40), dt.time(2), ("Australia/Lord_Howe",)), utc("2026-04-04 15:05"))
@example(Hours(dt.time(9), dt.time(20), ("Pacific/Apia",)), utc("2011-12-30 08:00"))
@given(
    rules(),
    st.datetimes(dt.datetime(2005, 1, 1), dt.datetime(2037, 1, 1)).map(
        lambda at: at.replace(second=0, microsecond=0, tzinfo=dt.UTC)
    ),
)
def test_it_agrees_with_a_walk_minute_by_minute(rule: Hours, at: dt.datetime) -> None:
    assert rule.next_allowed(at) == slowly(rule, at)
    assert rule.allow(at) == (slowly(rule, at) == at)


@settings(max_examples=100, deadline=None)
@given(rules(), st.sampled_from(ZONES), st.data())
def test_it_agrees_around_every_change_of_clocks(
    rule: Hours, zone: str, data: st.DataObject
) -> None:
    year = data.draw(st.integers(2005, 2030))
    around = list(changes(zone, utc(f"{year}-01-01 00:00"), utc(f"{year + 1}-01-01 00:00")))
    if around:
        at = data.draw(st.sampled_from(around)) + MINUTE * data.draw(st.integers(-1500, 90))
        rule = Hours(
            rule.allowed_from, rule.allowed_until, (zone,), rule.quiet_from, rule.quiet_until
        )
        assert rule.next_allowed(at) == slowly(rule, at)
