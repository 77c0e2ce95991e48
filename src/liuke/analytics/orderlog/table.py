"""A plain table that is no order log: its columns as text, in the shapes and encodings that logs come in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .cells import plain
from .choosing import column_index
from .errors import NoLines
from .shape import LogLook, look
from .splitting import Row
from .stretches import Stretches

_BLOCK_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` as cleaned text, one list a column; ``row`` says which of the file's rows, from 1.

    Rows of another width or with wrong bytes are counted (`bad`) and left out; blank lines are no rows.
    """

    look: LogLook
    row: list[int]
    columns: list[list[str]]
    bad: int

    def index(self, asked: str | int) -> int:
        """Which column is meant, from 0. Raises UnknownColumn or AmbiguousColumns."""
        return column_index(self.look, asked)


def read_table(file: Path, named: tuple[str, ...] = ()) -> Table:
    """Read it all. Cells of the first row that are `named` make it the header. Raises UnreadableLog."""
    looked = look(file, least_columns=2)
    if not looked.has_header and any(name in map(plain, looked.rows[0]) for name in named):
        looked = look(file, least_columns=2, has_header=True)
    width = len(looked.columns)
    rows = _rows(looked)
    good = [(number, row) for number, row in enumerate(rows, 1) if row and len(row) == width]
    if not good:
        raise NoLines(file=looked.name)
    columns = zip(*(row for _, row in good), strict=True)
    return Table(
        look=looked,
        row=[number for number, _ in good],
        columns=[[plain(cell) for cell in column] for column in columns],
        bad=len(rows) - len(good),
    )


def _rows(looked: LogLook) -> list[Row | None]:
    """Every record below the header in the file's order; None for one that is broken."""
    found: list[tuple[int, Row | None]] = []
    for stretch in Stretches(looked, _BLOCK_ROWS):
        found += zip(stretch.numbers, stretch.rows, strict=True)
        found += [(number, None) for number, _, _ in stretch.broken]
    if looked.format != "parquet":
        first = looked.header_line + looked.has_header
        found = [one for one in found if one[0] >= first]
    found.sort(key=lambda one: one[0])
    return [row for _, row in found if row is None or any(map(str.strip, row))]
