"""How is a stretch of text cut into records, each with the line it starts on?

Without quotation marks a line is a record and the csv module does a whole stretch at once.
With them a record may span lines; one whose quotation mark never closes (or that has swallowed
other lines) gives up its first line only, and the others are read again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

RECORD_LINES = 512
RECORD_CHARS = 131_072  # the csv module's own limit for a cell

_SPACED = re.compile(r'"((?:[^"]|"")*)"|(\S+)')

Row = Sequence[str]


class Stretch(NamedTuple):
    """Records and their line numbers; `broken` lines with a reason; lines left for the next."""

    rows: list[Row]
    numbers: Sequence[int]
    broken: list[tuple[int, str, str]]
    rest: list[str]


def split_spaces(line: str) -> list[str]:
    if '"' not in line:
        return line.split()
    return [
        found[1].replace('""', '"') if found[2] is None else found[2]
        for found in _SPACED.finditer(line)
    ]


def split_plain(lines: list[str], start: int, delimiter: str) -> Stretch | None:
    """One record a line; nothing where the csv module refuses a line."""
    numbers = range(start, start + len(lines))
    if delimiter == " ":
        return Stretch([split_spaces(line) for line in lines], numbers, [], [])
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, skipinitialspace=True)
    try:
        rows: list[Row] = list(reader)
    except csv.Error:
        return None
    return Stretch(rows, numbers, [], [])


class Quoted:
    """Splits lines in which quotation marks may hide delimiters and line ends."""

    def __init__(self, delimiter: str, width: int) -> None:
        self.delimiter = delimiter
        self.width = width

    def split(self, lines: list[str], start: int, final: bool) -> Stretch:
        """`lines` keep their line ends. The rest is an open record for the next stretch."""
        rows: list[Row] = []
        numbers: list[int] = []
        broken: list[tuple[int, str, str]] = []
        at = 0
        while at < len(lines):
            at = self._run(lines, at, start, rows, numbers)
            if at == len(lines):
                break
            length = self._open_length(lines, at)
            short = length <= RECORD_LINES and sum(map(len, lines[at:])) <= RECORD_CHARS
            if at + length >= len(lines) and short and not final and self._is_open(lines, at):
                return Stretch(rows, numbers, broken, lines[at:])
            self._first_line(lines[at], start + at, rows, numbers, broken)
            at += 1
        return Stretch(rows, numbers, broken, [])

    def _run(
        self, lines: list[str], at: int, start: int, rows: list[Row], numbers: list[int]
    ) -> int:
        """Records from line `at` on, as far as they are sound; where the first unsound starts."""
        reader = self._reader(lines, at)
        done = at
        count = len(lines)
        try:
            for row in reader:
                end = at + reader.line_num
                if end == count and self._is_open(lines, done):
                    return done
                if end - done > 1 and len(row) != self.width:
                    return done
                rows.append(row)
                numbers.append(start + done)
                done = end
        except csv.Error:
            pass
        return done

    def _reader(self, lines: list[str], at: int) -> Any:
        return csv.reader(islice(lines, at, None), delimiter=self.delimiter, skipinitialspace=True)

    def _open_length(self, lines: list[str], at: int) -> int:
        reader = self._reader(lines, at)
        try:
            next(reader)
        except (csv.Error, StopIteration):
            return len(lines)
        return int(reader.line_num)

    def _is_open(self, lines: list[str], at: int) -> bool:
        """Would one more line still belong to the record that starts here and ends the stretch?"""
        record = [*lines[at:], "\n"]
        reader = csv.reader(record, delimiter=self.delimiter, skipinitialspace=True)
        try:
            next(reader)
        except csv.Error:
            return True
        return reader.line_num == len(record)

    def _first_line(
        self, line: str, number: int, rows: list[Row], numbers: list[int],
        broken: list[tuple[int, str, str]],
    ) -> None:  # fmt: skip
        """A line alone, its quotation marks taken as text, if that gives the usual columns."""
        found = split_plain([line.rstrip("\n")], number, self.delimiter)
        if found is not None and len(found.rows[0]) == self.width:
            rows.append(found.rows[0])
            numbers.append(number)
        elif found is None:
            broken.append((number, "line_too_long", line))
        else:
            broken.append((number, "unclosed_quote", line))
