"""What order line is this row of cells?

`one` reads a row and says why it cannot be used. `at_once` reads many rows a column at a time, which
is three times as fast, and gives up at the first cell that is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from itertools import repeat
from operator import methodcaller
from typing import TypeVar

from . import cells
from .amounts import Amounts, currency_named
from .choosing import Places
from .dates import Dates
from .lines import MEMBER_MAX, ORDER_MAX, Options, OrderLine, Refused, excerpt
from .splitting import Row

Value = TypeVar("Value")
_KNOWN = 50_000
_WORDS_FOR_NOTHING = 4  # "null", "none": letters only, so the quick path must not see them


class Known(dict[str, Value]):
    """Remembers what a cell's text came to; most texts come again."""

    def __init__(self, reads: Callable[[str], Value]) -> None:
        super().__init__()
        self.reads = reads

    def __missing__(self, text: str) -> Value:
        value = self.reads(text)
        if len(self) < _KNOWN:
            self[text] = value
        return value


class KnownAmounts(dict[str, int]):
    """The same for amounts, with a quick path for plain decimals. Rounded ones are counted
    each time, so they are not remembered."""

    def __init__(self, money: Amounts) -> None:
        super().__init__()
        self.money = money
        self.scale = 10**money.exponent
        self.is_plain = money.decimal == "." and money.exponent > 0
        cents = rf"[0-9]{{1,8}}\.[0-9]{{{money.exponent}}}"
        self.usual = re.compile(rf"{cents}(?:\n{cents})*")

    def __missing__(self, text: str) -> int:
        whole, point, cents = text.partition(".")
        if self.is_plain and len(text) < 10 and whole.isdecimal() and text.isascii():
            if not point:
                return self._keep(text, int(whole) * self.scale)
            if len(cents) == self.money.exponent and cents.isdecimal():
                return self._keep(text, int(whole + cents))
        before = self.money.rounded
        value = self.money.minor(text)
        return self._keep(text, value) if self.money.rounded == before else value

    def at_once(self, texts: Sequence[str]) -> list[int]:
        """A whole column of 12.34 is checked and read without a look at each cell."""
        joined = "\n".join(texts)
        if self.is_plain and self.usual.fullmatch(joined):
            found = list(map(int, joined.replace(".", "").split("\n")))
            if len(found) == len(texts):
                return found
        return list(map(self.__getitem__, texts))

    def _keep(self, text: str, value: int) -> int:
        if len(self) < _KNOWN:
            self[text] = value
        return value


_ISO_LENGTH = len("2024-03-05 12:30:45")
_as_utc = methodcaller("__add__", "+00:00")


class Rows:
    def __init__(
        self, where: Places, width: int, money: Amounts, dates: Dates, options: Options
    ) -> None:
        self.where = where
        self.width = width
        self.money = money
        self.dates = dates
        self.per_unit = options.amount_per_unit
        self.members = Known(cells.member)
        self.orders = Known(cells.order)
        self.items = Known(cells.item)
        self.quantities = Known(cells.quantity)
        self.currencies = Known(self._same_currency)
        self.amounts = KnownAmounts(money)
        self.prices = Known(money.value)

    def one(self, number: int, row: Row) -> OrderLine:
        where = self.where
        member = cells.member(row[where.member])
        at, on = self.dates.missed(row[where.at])
        if where.currency >= 0:
            self._same_currency(row[where.currency])
        quantity = cells.quantity(row[where.quantity]) if where.quantity >= 0 else 1
        order = cells.order(row[where.order]) if where.order >= 0 else None
        item = cells.item(row[where.item]) if where.item >= 0 else None
        amount = self._amount(row[where.amount], quantity) if where.amount >= 0 else 0
        return OrderLine(number, member, at, on, amount, quantity, order, item)

    def at_once(self, rows: Sequence[Row], numbers: Sequence[int]) -> list[OrderLine] | None:
        if set(map(len, rows)) != {self.width}:
            return None
        rounded = self.money.rounded
        try:
            columns = self._columns(list(zip(*rows, strict=True)))
        except Refused:
            self.money.rounded = rounded
            return None
        new = tuple.__new__
        return [new(OrderLine, cells) for cells in zip(numbers, *columns)]  # noqa: B905

    def _columns(self, raw: list[tuple[str, ...]]) -> tuple[Iterable[object], ...]:
        where = self.where
        members = _identities(raw[where.member], MEMBER_MAX, self.members)
        ats, ons = self._instants(raw[where.at])
        if where.currency >= 0:
            for text in set(raw[where.currency]):
                self.currencies[text]
        quantities: Iterable[int] = repeat(1)
        if where.quantity >= 0:
            quantities = list(map(self.quantities.__getitem__, raw[where.quantity]))
        orders: Iterable[str | None] = repeat(None)
        if where.order >= 0:
            orders = _identities(raw[where.order], ORDER_MAX, self.orders)
        items: Iterable[str | None] = repeat(None)
        if where.item >= 0:
            items = list(map(self.items.__getitem__, raw[where.item]))
        return members, ats, ons, self._amounts(raw, quantities), quantities, orders, items

    def _amounts(self, raw: list[tuple[str, ...]], quantities: Iterable[int]) -> Iterable[int]:
        if self.where.amount < 0:
            return repeat(0)
        texts = raw[self.where.amount]
        if self.per_unit:
            return list(map(self._amount, texts, quantities))
        return self.amounts.at_once(texts)

    def _instants(self, texts: Sequence[str]) -> tuple[Iterable[datetime], Iterable[date]]:
        days, times, sign = self.dates.days, self.dates.times, self.dates.separator
        if set(map(len, texts)) == {_ISO_LENGTH}:
            try:
                known = [days[text[:10]] for text in texts]
                read = map(datetime.fromisoformat, map(_as_utc, texts))
                ats = [at - one[2] for at, one in zip(read, known, strict=True)]
                return ats, [one[1] for one in known]
            except (KeyError, ValueError):
                pass
        try:
            pairs = [text.partition(sign) for text in texts]
            known = [days[day] for day, _, _ in pairs]
            ats = [one[0] + times[time] for one, (_, _, time) in zip(known, pairs, strict=True)]
        except KeyError:
            found = list(map(self.dates.missed, texts))
            return [at for at, _ in found], [on for _, on in found]
        return ats, [one[1] for one in known]

    def _amount(self, text: str, quantity: int) -> int:
        if self.per_unit:
            return self.money.times(self.prices[text], quantity, text)
        return self.amounts[text]

    def _same_currency(self, text: str) -> bool:
        found = currency_named(text)
        if not found:
            raise Refused("no_currency")
        if found != self.money.currency:
            raise Refused("other_currency", found=excerpt(found), expected=self.money.currency)
        return True


def _identities(texts: Sequence[str], limit: int, known: Known[Value]) -> list[str | Value]:
    """Plain letters and digits as they are, anything else cleaned."""
    return [
        text if text.isalnum() and _WORDS_FOR_NOTHING < len(text) <= limit else known[text]
        for text in texts
    ]
