"""Where does each mark of one member's line of life stand? Geometry only, for an inline SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 900, 120
_LEFT, _RIGHT = 6.0, WIDTH - 6.0


@dataclass(frozen=True)
class Band:
    """A stage, from one x to another."""

    stage: str
    x: float
    width: float


@dataclass(frozen=True)
class Lifeline:
    """Bands of stages, a tick for every order, and the day by which the next order was usual."""

    bands: tuple[Band, ...]
    orders: tuple[float, ...]
    returns: tuple[float, ...]
    usual_x: float | None
    first_on: dt.date
    last_on: dt.date
    width: int = WIDTH
    height: int = HEIGHT


def lifeline(
    *,
    moves: Sequence[tuple[str, dt.date]],
    orders: Iterable[dt.date],
    returns: Iterable[dt.date],
    usual_on: dt.date | None,
    until: dt.date,
) -> Lifeline | None:
    """Lay out a life from the first move to `until`; moves oldest first. None when there is none."""
    if not moves:
        return None
    first = moves[0][1]
    days = max((until - first).days, 1)

    def x(day: dt.date) -> float:
        part = min(max((day - first).days / days, 0.0), 1.0)
        return round(_LEFT + part * (_RIGHT - _LEFT), 1)

    ends = [day for _, day in moves[1:]] + [until]
    bands = tuple(
        Band(stage, x(day), round(max(x(end) - x(day), 1.0), 1))
        for (stage, day), end in zip(moves, ends, strict=True)
    )
    is_past = usual_on is not None and first <= usual_on <= until
    return Lifeline(
        bands=bands,
        orders=tuple(sorted({x(day) for day in orders if first <= day <= until})),
        returns=tuple(sorted({x(day) for day in returns if first <= day <= until})),
        usual_x=x(usual_on) if is_past and usual_on is not None else None,
        first_on=first,
        last_on=until,
    )
