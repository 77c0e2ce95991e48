"""Which lines does this log hold, and which cannot be used, and why?"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .amounts import Amounts
from .choosing import Places, places
from .dateorder import settled_order
from .dates import Dates, order_named, unsure_day, zone_named
from .lines import (
    BadLine,
    Block,
    Mapping,
    Options,
    OrderLine,
    Refused,
    bad_line,
)
from .rows import Rows
from .shape import LogLook, look
from .splitting import Row, Stretch
from .stretches import Stretches

_PORTION = 1000


@contextmanager
def _without_collector() -> Iterator[None]:
    """A block makes many objects and no cycles: looking for some would take a third longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class LogReader:
    """Iterate once for blocks of lines; the counters and `bytes_read` grow as it goes."""

    def __init__(self, looked: LogLook, mapping: Mapping, options: Options) -> None:
        self.look = looked
        self.options = options
        self.places: Places = places(looked, mapping)
        self.good = self.bad = self.blank_lines = 0
        self._money = Amounts(options.currency, options.decimal)
        self._dates = Dates(
            zone_named(options.timezone),
            options.now,
            order_named(options.date_order),
            lambda: settled_order(looked, self.places.at),
            options.day_zero,
        )
        self._stretches = Stretches(looked, options.block_rows)
        self._width = len(looked.columns)
        self._rows = Rows(self.places, self._width, self._money, self._dates, options)
        self._settle_early()

    @property
    def lines(self) -> int:
        """Every record met so far: good, bad or blank."""
        return self.good + self.bad + self.blank_lines

    @property
    def rounded(self) -> int:
        return self._money.rounded

    @property
    def bytes_read(self) -> int:
        """Bytes of the file as it lies on disk; rows for Parquet."""
        return self._stretches.read

    @property
    def bytes_total(self) -> int:
        return self._stretches.total

    @property
    def date_order(self) -> str | None:
        return self._dates.order

    def __iter__(self) -> Iterator[Block]:
        for stretch in self._stretches:
            with _without_collector():
                block = self._block(stretch)
            self.good += len(block.lines)
            self.bad += len(block.bad)
            if block.lines or block.bad:
                yield block

    def _settle_early(self) -> None:
        """Ask for the order of dates before the first line, if the first lines already need it."""
        at = self.places.at
        if self._dates.order is None:
            for row in self.look.rows:
                if at < len(row) and unsure_day(row[at]):
                    self._dates.order = settled_order(self.look, at)
                    return

    def _block(self, stretch: Stretch) -> Block:
        rows, numbers, bad = self._below_header(stretch)
        lines: list[OrderLine] = []
        for at in range(0, len(rows), _PORTION):
            some, their = rows[at : at + _PORTION], numbers[at : at + _PORTION]
            quick = self._rows.at_once(some, their)
            if quick is None:
                self._one_by_one(some, their, lines, bad)
            else:
                lines += quick
        for number, code, text in stretch.broken:
            params = {"encoding": self._stretches.encoding.upper()}
            bad.append(bad_line(number, code, params, text))
        bad.sort(key=lambda one: one.line)
        return Block(lines, bad)

    def _one_by_one(
        self, rows: list[Row], numbers: list[int], lines: list[OrderLine], bad: list[BadLine]
    ) -> None:
        width = self._width
        for number, row in zip(numbers, rows, strict=True):
            try:
                fitted = row if len(row) == width else self._fitted(row)
                lines.append(self._rows.one(number, fitted))
            except Refused as why:
                if any(row) and any(map(str.strip, row)):
                    bad.append(bad_line(number, why.code, why.params, self._text(row)))
                else:
                    self.blank_lines += 1

    def _below_header(self, stretch: Stretch) -> tuple[list[Row], list[int], list[BadLine]]:
        """Leave out the header; what stands above it is bad."""
        above = self.look.header_line
        rows, numbers = stretch.rows, list(stretch.numbers)
        if self.look.format == "parquet" or not numbers or numbers[0] > above:
            return rows, numbers, []
        first = next((at for at, number in enumerate(numbers) if number >= above), len(numbers))
        bad = []
        for number, row in zip(numbers[:first], rows[:first], strict=True):
            if any(map(str.strip, row)):
                bad.append(bad_line(number, "before_the_header", {}, self._text(row)))
            else:
                self.blank_lines += 1
        first += self.look.has_header and numbers[first : first + 1] == [above]
        return rows[first:], numbers[first:], bad

    def _fitted(self, row: Row) -> Row:
        """A row with blank cells too many, or too few of those nobody asked for."""
        width = self._width
        if len(row) > width and not any(map(str.strip, row[width:])):
            return row
        if width > len(row) > max(self.places) + 1:
            return row
        raise Refused("wrong_width", found=len(row), expected=width)

    def _text(self, row: Row) -> str:
        return (self.look.delimiter or ",").join(row)


def read(path: str | Path | LogLook, mapping: Mapping, options: Options) -> LogReader:
    """Open a log for reading. Refusals about columns, dates and zones come here, before a line."""
    if isinstance(path, LogLook):
        return LogReader(path, mapping, options)
    looked = look(
        path,
        encoding=options.encoding,
        delimiter=options.delimiter,
        has_header=options.has_header,
    )
    return LogReader(looked, mapping, options)
