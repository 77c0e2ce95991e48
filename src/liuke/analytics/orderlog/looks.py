"""Does this cell look like a date or a number? For guessing only; reading is stricter."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from .amounts import Amounts
from .dates import ORDERS, Dates
from .lines import Refused

_LATEST = datetime(2099, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"[0-9]+")
_DECIMALS = re.compile(r"[.,][0-9]+\D*$")


def _no_order() -> str:
    return "dmy"


_IN_ORDER = [Dates(ZoneInfo("UTC"), _LATEST, order, _no_order) for order in ORDERS]
_SIGN_OF = re.compile(r"CNY|USD|US\$|HK\$|[¥￥$€£₩元]")


def is_date(text: str) -> bool:
    return any(_fits(dates, text) for dates in _IN_ORDER)


def is_epoch(text: str) -> bool:
    return _DIGITS.fullmatch(text) is not None and len(text) in (9, 10, 13)


def _fits(dates: Dates, text: str) -> bool:
    try:
        _, on = dates.slow(text)
    except Refused:
        return False
    return on.year >= 1980


def number(text: str) -> float | None:
    """The value, whatever currency sign it wears; nothing if it is no number."""
    try:
        return float(Amounts("CNY").value(_SIGN_OF.sub("", text)))
    except Refused:
        pass
    try:
        return float(Amounts("CNY", ",").value(_SIGN_OF.sub("", text)))
    except Refused:
        return None


def has_decimals(text: str) -> bool:
    return _DECIMALS.search(text) is not None
