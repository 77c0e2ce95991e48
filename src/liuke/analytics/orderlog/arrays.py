"""A whole log as parallel arrays, for arithmetic that needs all of it at once.

numpy is loaded when it is asked for: the web and the worker read logs without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from .lines import Block

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NONE = -1
"""Stands where a line names no order or no item."""

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, eq=False)
class LogArrays:
    """One entry per good line, in the file's order; all arrays have shape (lines,).

    ``member``, ``order`` and ``item`` are places in ``members``, ``orders`` and ``items`` (first seen,
    first named), or NONE. ``day`` counts from 1970-01-01, site-local; ``amount`` is in minor units.
    """

    members: list[str]
    orders: list[str]
    items: list[str]
    member: NDArray[np.int64]
    order: NDArray[np.int64]
    item: NDArray[np.int64]
    day: NDArray[np.int32]
    amount: NDArray[np.int64]
    quantity: NDArray[np.int64]


class _Names(dict[str | None, int]):
    """The place of each name, given out as names come."""

    def __init__(self) -> None:
        super().__init__({None: NONE})

    def __missing__(self, name: str | None) -> int:
        place = self[name] = len(self) - 1
        return place

    def listed(self) -> list[str]:
        return [name for name in self if name is not None]


class _Days(dict[date, int]):
    def __missing__(self, on: date) -> int:
        day = self[on] = on.toordinal() - _EPOCH
        return day


def as_arrays(blocks: Iterable[Block]) -> LogArrays:
    """Read every block. 48 bytes a line, and each name once."""
    import numpy as np  # noqa: PLC0415

    members, orders, items, days = _Names(), _Names(), _Names(), _Days()
    parts: list[tuple[NDArray[np.int64], ...]] = []
    for block in blocks:
        if not block.lines:
            continue
        _, member, _, on, amount, quantity, order, item = zip(*block.lines, strict=True)
        columns = (
            map(members.__getitem__, member),
            map(orders.__getitem__, order),
            map(items.__getitem__, item),
            map(days.__getitem__, on),
            amount,
            quantity,
        )
        rows = len(block.lines)
        parts.append(tuple(np.fromiter(one, dtype=np.int64, count=rows) for one in columns))
    if not parts:
        parts.append(tuple(np.empty(0, dtype=np.int64) for _ in range(6)))
    member_at, order_at, item_at, day, amounts, quantities = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return LogArrays(
        members=members.listed(),
        orders=orders.listed(),
        items=items.listed(),
        member=member_at,
        order=order_at,
        item=item_at,
        day=day.astype(np.int32),
        amount=amounts,
        quantity=quantities,
    )
