"""What are the stages called, by what may members be filtered, and how may a file be imported?"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from liuke.analytics.errors import BadFilter, BadImportOption
from liuke.analytics.orderlog.lines import UNPRINTABLE

STAGES = ("new", "active", "silent", "churned")  # the order is the code, as in `liuke.science`
STAGE_CODES = (0, 1, 2, 3)
FORECAST_DAYS = 30
"""How far ahead the pages look."""

GROUP_BOUNDS = (
    "days_min", "days_max", "orders_min", "orders_max", "total_min_fen", "total_max_fen",
    "r_min", "r_max", "f_min", "f_max", "m_min", "m_max",
)  # fmt: skip

# The bound of a filter, and what it asks of a standing.
BOUNDS = {
    "days_min": "days_since_last_order__gte",
    "days_max": "days_since_last_order__lte",
    "orders_min": "orders__gte",
    "orders_max": "orders__lte",
    "total_min_fen": "total_fen__gte",
    "total_max_fen": "total_fen__lte",
}
_PAIRS = (
    ("days_min", "days_max"),
    ("orders_min", "orders_max"),
    ("total_min_fen", "total_max_fen"),
)
IMPORT_OPTIONS = ("currency", "timezone", "date_order", "decimal", "amount_per_unit")

_LABEL_LETTERS = 120
_SOURCE_LETTERS = 64
_AMOUNT_BOUND = 10**15
_MONTH = re.compile(r"\d{4}-\d{2}")


def _is_month(value: Any) -> bool:
    if not isinstance(value, str) or not _MONTH.fullmatch(value):
        return False
    try:
        dt.date.fromisoformat(f"{value}-01")
    except ValueError:
        return False
    return True


def _is_whole(lowest: int, highest: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and lowest <= value <= highest


_MAY_BE: dict[str, Callable[[Any], bool]] = {
    "stage": lambda value: value in STAGES,
    "group": lambda value: isinstance(value, str) and 0 < len(value) <= 40,
    "r": _is_whole(1, 5),
    "f": _is_whole(1, 5),
    "cohort": _is_month,
    "overdue": lambda value: value is True,
    "leaving": lambda value: value is True,
    "within": lambda value: isinstance(value, str) and 0 < len(value) <= 16,
    "days_min": _is_whole(0, 100_000),
    "days_max": _is_whole(0, 100_000),
    "orders_min": _is_whole(0, 10**9),
    "orders_max": _is_whole(0, 10**9),
    "total_min_fen": _is_whole(-_AMOUNT_BOUND, _AMOUNT_BOUND),
    "total_max_fen": _is_whole(-_AMOUNT_BOUND, _AMOUNT_BOUND),
}
AUDIENCE_KEYS = tuple(_MAY_BE)


def read_filter(given: dict[str, Any]) -> dict[str, Any]:
    """The keys that narrow something, in one order, each with a value it can have.

    None, "" and an `overdue` or `leaving` of False narrow nothing and are left out.

    Raises:
        BadFilter: an unknown key, a value it cannot have, or two bounds that nobody can fit between.
    """
    for key in given:
        if key not in _MAY_BE:
            raise BadFilter(key=key, value=given[key])
    found = {key: given[key] for key in AUDIENCE_KEYS if key in given}
    kept = {
        key: value
        for key, value in found.items()
        if value is not None and value != "" and value is not False
    }
    for key, value in kept.items():
        if not _MAY_BE[key](value):
            raise BadFilter(key=key, value=value)
    for low, high in _PAIRS:
        if low in kept and high in kept and kept[low] > kept[high]:
            raise BadFilter(key=f"{low}, {high}", value=f"{kept[low]}, {kept[high]}")
    return kept


def file_label(name: str) -> str:
    """A file's name as it may be shown and stored: no folders, no controls, not endless."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = " ".join(UNPRINTABLE.sub(" ", last).split())
    shown = shown.encode("utf-8", "replace").decode("utf-8")
    if len(shown) > _LABEL_LETTERS:
        shown = f"{shown[: _LABEL_LETTERS - 21]}…{shown[-20:]}"
    return shown or "?"


def read_source_name(text: str) -> str:
    """The name a source goes by.

    Raises:
        BadImportOption: empty, too long, or with letters that cannot be printed.
    """
    name = text.strip()
    if not 0 < len(name) <= _SOURCE_LETTERS or UNPRINTABLE.search(name):
        raise BadImportOption(key="source", value=UNPRINTABLE.sub(" ", name)[:_SOURCE_LETTERS])
    return name
