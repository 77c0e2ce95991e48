"""On which day is a birthday, in either calendar? The lunar tables, 1900 to 2100, are borax's."""

from __future__ import annotations

import calendar
import datetime as dt

from borax.calendars.lunardate import LCalendars, LunarDate

LEAP_YEAR = 2000
LUNAR_YEARS = range(1900, 2101)
LUNAR_DAYS_MAX = 30


def is_day_of_a_year(month: int, day: int, kind: str) -> bool:
    """Whether some year has this month and day."""
    if not 1 <= month <= 12:
        return False
    longest = LUNAR_DAYS_MAX if kind == "lunar" else calendar.monthrange(LEAP_YEAR, month)[1]
    return 1 <= day <= longest


def birthday(month: int, day: int, kind: str, year: int) -> dt.date | None:
    """The day it is kept in `year`; None where the lunar tables end.

    29 February is kept on the 28th of a common year, the lunar 30th on the 29th of a short month. A lunar birthday
    belongs to the lunar year: late in the twelfth month it falls into January or February after `year`.
    """
    if kind == "solar":
        return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))
    if year not in LUNAR_YEARS:
        return None
    kept: dt.date = LunarDate(year, month, min(day, LCalendars.ndays(year, month))).to_solar_date()
    return kept
