"""In which order do the dates of a column write day, month and year?

The whole column is asked, a stretch at a time. The order is never assumed: where the values
leave more than one, the reader refuses with an example.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from .choosing import column_index
from .dates import ORDERS, day_in_order, unsure_day
from .errors import AmbiguousDates, MixedDates
from .shape import LogLook, look
from .stretches import Stretches

IN_WORDS = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year/month/day"}
_SEEN = 100_000


@dataclass
class DateOrders:
    """`fits` holds the orders that suit every value; all three where no value needs one."""

    fits: tuple[str, ...] = ORDERS
    needed: bool = False
    against: dict[frozenset[str], int] = field(default_factory=dict)
    examples: dict[frozenset[str], tuple[int, str]] = field(default_factory=dict)

    @property
    def example(self) -> tuple[int, str] | None:
        """A line and a value that the fitting orders read differently."""
        pairs = map(frozenset, combinations(self.fits, 2))
        return min((self.examples[pair] for pair in pairs if pair in self.examples), default=None)

    @property
    def mixed(self) -> tuple[int, int] | None:
        """Two lines that no order suits together, where no order fits them all."""
        if self.fits:
            return None
        pairs = combinations(self.against.items(), 2)
        both = [sorted((a, b)) for (some, a), (more, b) in pairs if some | more == set(ORDERS)]
        lines = min(both, default=sorted(self.against.values()))
        return lines[0], lines[-1]

    def note(self, line: int, raw: str) -> None:
        day = unsure_day(raw)
        if day is None:
            return
        read = {order: day_in_order(day, order) for order in ORDERS}
        if not any(read.values()):
            return
        self.needed = True
        self.fits = tuple(order for order in self.fits if read[order])
        refused = frozenset(order for order in ORDERS if read[order] is None)
        self.against.setdefault(refused, line)
        for one, other in combinations(ORDERS, 2):
            if read[one] and read[other] and read[one] != read[other]:
                self.examples.setdefault(frozenset((one, other)), (line, raw.strip()))


def date_orders(source: LogLook | str | Path, column: str | int) -> DateOrders:
    """Scan a column, from the first line to the last."""
    seen_look = source if isinstance(source, LogLook) else look(source)
    index = column_index(seen_look, column)
    found = DateOrders()
    seen: set[str] = set()
    for stretch in Stretches(seen_look, 5000):
        for line, row in zip(stretch.numbers, stretch.rows, strict=True):
            if index >= len(row) or (line <= seen_look.header_line and seen_look.has_header):
                continue
            day = row[index].strip().partition(" ")[0]
            if day not in seen:
                found.note(line, day)
                if len(seen) < _SEEN:
                    seen.add(day)
    return found


def settled_order(source: LogLook, index: int) -> str:
    """The one order that fits, or a refusal that says what to ask."""
    found = date_orders(source, index + 1)
    if found.mixed is not None:
        raise MixedDates(file=source.name, first=found.mixed[1], second=found.mixed[0])
    if found.example is None:
        return found.fits[0]
    line, value = found.example
    orders = " or ".join(IN_WORDS[order] for order in found.fits)
    raise AmbiguousDates(file=source.name, example=value[:40], line=line, orders=orders)
