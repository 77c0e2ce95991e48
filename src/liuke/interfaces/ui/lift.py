"""Where do the lines of two groups run, and how wide are the whiskers? Geometry only, for inline SVGs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from liuke.interfaces.ui.figures import percent

WIDTH, HEIGHT = 640, 230
_LEFT, _RIGHT, _TOP, _FLOOR = 44.0, WIDTH - 76.0, 14.0, HEIGHT - 28.0
_TICKS = 4
_LABELS_APART = 22.0  # letters are 19 high on a phone
_NICE = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25)
WHISKER = 160


@dataclass(frozen=True)
class Mark:
    """A place on an axis, or the end of a line, with what stands there."""

    at: float
    text: str


@dataclass(frozen=True)
class Lift:
    """The share of both groups that has come back, day by day; the last shares stand at the ends of the lines."""

    treated: str
    control: str
    shares: list[Mark]
    days: list[Mark]
    treated_end: Mark
    control_end: Mark
    left: float = _LEFT
    right: float = _RIGHT
    floor: float = _FLOOR
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Whisker:
    """An interval and its middle on a line that shows zero; outside the line nothing is drawn."""

    low: float
    high: float
    middle: float
    zero: float
    is_clear: bool
    width: int = WHISKER


def lift(days: Sequence[tuple[int, float, float]]) -> Lift | None:
    """Lay out (day, treated, control) shares of 0 to 1; None for fewer than two days."""
    if len(days) < 2:
        return None
    last = days[-1][0]
    step = _step(max(max(treated, control) for _, treated, control in days))
    top = step * _TICKS

    def x(day: int) -> float:
        return round(_LEFT + (day - 1) / max(last - 1, 1) * (_RIGHT - _LEFT), 1)

    def y(share: float) -> float:
        return round(_FLOOR - share / top * (_FLOOR - _TOP), 1)

    _, treated, control = days[-1]
    treated_y, control_y = _apart(y(treated), y(control))
    return Lift(
        treated=" ".join(f"{x(day):g},{y(share):g}" for day, share, _ in days),
        control=" ".join(f"{x(day):g},{y(share):g}" for day, _, share in days),
        shares=[Mark(y(step * n), percent(step * n)) for n in range(_TICKS + 1)],
        days=[Mark(x(day), str(day)) for day in _told_days(last)],
        treated_end=Mark(treated_y, percent(treated)),
        control_end=Mark(control_y, percent(control)),
    )


def whisker(difference: float, low: float, high: float) -> Whisker:
    """An interval on a line of WHISKER, scaled so that it and zero fit."""
    least, most = min(low, 0.0), max(high, 0.0)
    span = (most - least) or 1.0

    def x(value: float) -> float:
        return round(8 + (value - least) / span * (WHISKER - 16), 1)

    return Whisker(x(low), x(high), x(difference), x(0.0), is_clear=low > 0 or high < 0)


def _step(most: float) -> float:
    """A round distance between ticks, so that four of them reach the highest share."""
    wanted = most / _TICKS
    return next((step for step in _NICE if step >= wanted), math.ceil(wanted * 10) / 10)


def _apart(one: float, other: float) -> tuple[float, float]:
    """Two labels, pushed apart until both can be read, the upper one staying above."""
    missing = _LABELS_APART - abs(one - other)
    if missing <= 0:
        return one, other
    up, down = -missing / 2, missing / 2
    return (
        (round(one + up, 1), round(other + down, 1))
        if one <= other
        else (round(one + down, 1), round(other + up, 1))
    )


def _told_days(last: int) -> list[int]:
    """About six days, the first and the last among them."""
    step = max(1, round((last - 1) / 5))
    days = list(range(1, last + 1, step))
    if days[-1] != last:
        days = [*(day for day in days if last - day >= step / 2), last]
    return days
