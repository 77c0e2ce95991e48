"""What is an order line, and why may a line be bad?"""

from __future__ import annotations

import re
from collections.abc import Mapping as Params
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from .marking import gettext_noop

MEMBER_MAX = 128
ORDER_MAX = 128
ITEM_MAX = 200
AMOUNT_BOUND = 10**13
QUANTITY_BOUND = 10**6
EXCERPT_MAX = 80

# Controls and the marks that reverse text; the joiner inside emoji stays.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


class OrderLine(NamedTuple):
    line: int
    member: str
    at: datetime
    on: date
    amount: int
    quantity: int
    order: str | None
    item: str | None


class BadLine(NamedTuple):
    line: int
    code: str
    says: str
    params: Params[str, object]
    excerpt: str

    @property
    def reason(self) -> str:
        return self.says % self.params


@dataclass(frozen=True, slots=True)
class Block:
    lines: list[OrderLine]
    bad: list[BadLine]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column holds what: a column's name, or its number counted from 1.

    Without `amount` every line is worth nothing: enough for what counts purchases, too little for an import.
    """

    member: str | int
    at: str | int
    amount: str | int | None
    order: str | int | None = None
    item: str | int | None = None
    quantity: str | int | None = None
    currency: str | int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to read the cells. `now` is given, never looked up: one clock for the whole site.

    With `day_zero` a date may also be a number of days since that day.
    """

    now: datetime
    currency: str = "CNY"
    timezone: str = "Asia/Shanghai"
    date_order: str | None = None
    day_zero: date | None = None
    decimal: str = "."
    amount_per_unit: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool | None = None
    block_rows: int = field(default=5000)


class Refused(Exception):
    """A cell that cannot be used; the line becomes a `BadLine`."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params = params
        super().__init__(code)


# One sentence for each code; a value from the file is cut to `EXCERPT_MAX` before it goes in.
REASONS = {
    "no_member": gettext_noop("no member"),
    "no_date": gettext_noop("no date"),
    "no_amount": gettext_noop("no amount"),
    "no_currency": gettext_noop("no currency"),
    "member_too_long": gettext_noop("the member is longer than %(limit)d characters"),
    "order_too_long": gettext_noop("the order number is longer than %(limit)d characters"),
    "shortened_by_spreadsheet": gettext_noop("“%(value)s” was shortened by a spreadsheet"),
    "not_a_date": gettext_noop("“%(value)s” is not a date"),
    "not_in_date_order": gettext_noop("“%(value)s” is not a date in %(order)s order"),
    "in_the_future": gettext_noop("dated in the future (%(value)s)"),
    "before_1970": gettext_noop("dated before 1970 (%(value)s)"),
    "not_an_amount": gettext_noop("“%(value)s” is not an amount"),
    "not_exact": gettext_noop("“%(value)s” is not an exact amount"),
    "amount_too_large": gettext_noop("the amount %(value)s is too large"),
    "not_a_quantity": gettext_noop("“%(value)s” is not a whole quantity"),
    "quantity_too_large": gettext_noop("the quantity %(value)s is too large"),
    "other_currency": gettext_noop("in %(found)s, this log is in %(expected)s"),
    "wrong_width": gettext_noop("%(found)d columns where %(expected)d were expected"),
    "wrong_bytes": gettext_noop("bytes that are not %(encoding)s"),
    "line_too_long": gettext_noop("the line is too long to be an order"),
    "unclosed_quote": gettext_noop("a quotation mark that is never closed"),
    "before_the_header": gettext_noop("text above the header"),
}


def bad_line(line: int, code: str, params: Params[str, object], text: str) -> BadLine:
    return BadLine(line, code, REASONS[code], params, excerpt(text))


def excerpt(text: str) -> str:
    """The start of a value or a line, safe to print and to store."""
    shown = UNPRINTABLE.sub(" ", text[: EXCERPT_MAX * 4]).strip()[:EXCERPT_MAX]
    return shown.encode("utf-8", "replace").decode("utf-8")
