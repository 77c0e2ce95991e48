"""How is a figure written? Counts, shares, money and days, as the reader's language does."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils.formats import date_format

from liuke.base.money import money_text

Day = dt.date | str


def count(number: float) -> str:
    """`12,345`."""
    return f"{round(number):,}"


def percent(share: float) -> str:
    """`15.8%`; whole from 10% on when nothing is lost, and never `0%` for something that is there."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share * 100:.1f}".removesuffix(".0") + "%"


def money(amount_fen: int, currency: str) -> str:
    """`¥1,234.50`."""
    return money_text(amount_fen, currency)


def price(amount_fen: int) -> str:
    """A price in the site's currency: `¥9.50`, `¥648`."""
    text = money_text(amount_fen, settings.LIUKE_CURRENCY)
    return text.removesuffix(".00")


def money_whole(amount_fen: int, currency: str) -> str:
    """`¥1,235`: for totals, where cents only blur."""
    return money_text(amount_fen, currency, cents=False)


def as_date(day: Day) -> dt.date:
    """A date, also from its ISO text."""
    return dt.date.fromisoformat(day[:10]) if isinstance(day, str) else day


def long_day(day: Day) -> str:
    """`2026年11月21日`, `Nov. 21, 2026`."""
    return date_format(as_date(day), "DATE_FORMAT")


def iso_day(day: Day) -> str:
    """`2026-11-21`: for tables, in both languages."""
    return as_date(day).isoformat()


def days_text(days: float) -> str:
    """A length in days: `12`, and one decimal below ten unless it is whole (`3.5`)."""
    return f"{days:.1f}".removesuffix(".0") if days < 10 else str(round(days))
