"""How do a block's good lines look to PostgreSQL's `COPY ... FROM STDIN` (text format)?

Columns: line, member, at (UTC), on, amount, quantity, order or \\N, item or \\N.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from .lines import Block, OrderLine

COLUMNS = ("line", "member", "at", "on", "amount", "quantity", "order", "item")

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_TABLE = str.maketrans(_ESCAPES)
_NONE = "\\N"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_KEPT = 20_000
_PORTION = 1000  # few enough to stay in the processor's cache
_microseconds = attrgetter("microseconds")


def copy_block(block: Block) -> bytes:
    lines = block.lines
    return b"".join(_copied(lines[at : at + _PORTION]) for at in range(0, len(lines), _PORTION))


def _copied(lines: list[OrderLine]) -> bytes:
    numbers, members, ats, ons, amounts, quantities, orders, items = zip(*lines, strict=True)
    days = {on: on.isoformat() for on in set(ons)}
    columns: Sequence[Iterable[str]] = (
        map(str, numbers),
        _escaped(members),
        _instants(ats),
        map(days.__getitem__, ons),
        map(str, amounts),
        map(str, quantities),
        _escaped(orders),
        _escaped(items),
    )
    rows = "\n".join(map("\t".join, zip(*columns, strict=True)))
    return (rows + "\n").encode("utf-8")


class _Days(dict[int, str]):
    def __missing__(self, days: int) -> str:
        text = self[days] = str((_EPOCH + timedelta(days=days)).date())
        return text


_days = _Days()
# Two small tables, since one of all seconds of a day would not stay in the processor's cache.
_MINUTES = [f" {minute // 60:02}:{minute % 60:02}" for minute in range(1440)]
_SECONDS = [f":{second:02}+00" for second in range(60)]


def _instants(ats: Sequence[datetime]) -> list[str]:
    """ISO in UTC, put together from remembered halves: four times as fast as `str`."""
    if len(_days) > _DAYS_KEPT:
        _days.clear()
    spans = [at - _EPOCH for at in ats]
    if any(map(_microseconds, spans)):
        return [str(_EPOCH + span) for span in spans]
    return [
        _days[span.days] + _MINUTES[span.seconds // 60] + _SECONDS[span.seconds % 60]
        for span in spans
    ]


def _escaped(values: Sequence[str | None]) -> Iterable[str]:
    """Escaped only where something in the whole column needs it."""
    texts = [value for value in values if value is not None]
    joined = "".join(texts)
    if not any(sign in joined for sign in _ESCAPES) and "\0" not in joined:
        if len(texts) == len(values):
            return texts
        return [_NONE if value is None else value for value in values]
    return [
        _NONE if value is None else value.translate(_TABLE).replace("\0", "") for value in values
    ]
