"""The cohort table and its curve, ready to draw: shades by class, never by colour values in the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from liuke.interfaces.ui.figures import percent

Json = dict[str, Any]
ROWS_SHOWN, AGES_SHOWN = 24, 24
SHADES = 8
CURVE_WIDTH, CURVE_HEIGHT = 640, 132


@dataclass(frozen=True)
class Cell:
    """Members of a cohort who ordered in the period of this age."""

    returned: int
    share: float
    css: str
    is_finished: bool

    @property
    def text(self) -> str:
        """Percent as the cell shows it."""
        return f"{self.share * 100:.0f}"


@dataclass(frozen=True)
class Row:
    """One cohort; `cells` has None where the period has not begun."""

    period: str
    members: int
    href: str
    cells: list[Cell | None]


@dataclass(frozen=True)
class Point:
    """One age on the curve of the mean."""

    x: float
    y: float
    share: float
    age: int
    is_told: bool
    is_spare: bool


@dataclass(frozen=True)
class Heat:
    """What the cohort panel draws."""

    ages: range
    rows: list[Row]
    mean: list[Cell | None]
    points: list[Point]
    line: str
    area: str
    low: str
    high: str
    hidden_rows: int
    has_unfinished: bool
    width: int = CURVE_WIDTH
    height: int = CURVE_HEIGHT


def heat(cohorts: Json, link: Callable[..., str]) -> Heat:
    """The last cohorts and their first ages, shaded between the lowest and highest return rate."""
    kept = cohorts["rows"][-ROWS_SHOWN:]
    ages = range(min(cohorts["ages"], AGES_SHOWN))
    rates = [
        cell["returned"] / cell.get("members", row["members"])
        for row in kept
        for cell in row["cells"]
        if 0 < cell["age"] < AGES_SHOWN and cell["finished"] and row["members"]
    ]
    low, high = (min(rates), max(rates)) if rates else (0.0, 0.0)
    rows = [
        Row(
            period=row["period"],
            members=row["members"],
            href=link(cohort=row["period"]),
            cells=_cells(row["cells"], row["members"], ages, low, high),
        )
        for row in kept
    ]
    mean = _mean(cohorts["mean"], ages, low, high)
    points = _points(mean)
    line = " ".join(f"{p.x:g},{p.y:g}" for p in points)
    floor = CURVE_HEIGHT - 22
    area = f"{points[0].x:g},{floor} {line} {points[-1].x:g},{floor}" if points else ""
    return Heat(
        ages=ages,
        rows=rows,
        mean=mean,
        points=points,
        line=line,
        area=area,
        low=percent(low),
        high=percent(high),
        hidden_rows=len(cohorts["rows"]) - len(kept),
        has_unfinished=any(c is not None and not c.is_finished for row in rows for c in row.cells),
    )


def _cells(
    cells: list[Json], members: int, ages: range, low: float, high: float
) -> list[Cell | None]:
    by_age = {cell["age"]: cell for cell in cells}
    found: list[Cell | None] = []
    for age in ages:
        cell = by_age.get(age)
        if cell is None or not members:
            found.append(None)
            continue
        share = cell["returned"] / cell.get("members", members)
        css = shade(age, share, low, high) if cell["finished"] else "hatch"
        found.append(Cell(cell["returned"], share, css, cell["finished"]))
    return found


def _mean(mean: list[Json], ages: range, low: float, high: float) -> list[Cell | None]:
    by_age = {cell["age"]: cell for cell in mean}
    found: list[Cell | None] = []
    for age in ages:
        cell = by_age.get(age)
        if cell is None or not cell["members"]:
            found.append(None)
            continue
        share = cell["returned"] / cell["members"]
        found.append(Cell(cell["returned"], share, shade(age, share, low, high), True))
    return found


def shade(age: int, share: float, low: float, high: float) -> str:
    """`h0` for nobody, `h1` to `h8` from the lowest to the highest rate, `h9` for the first period."""
    if age == 0:
        return "h9"
    if share <= 0:
        return "h0"
    part = (share - low) / (high - low) if high > low else 0.5
    return f"h{1 + min(int(min(max(part, 0.0), 1.0) * SHADES), SHADES - 1)}"


def _points(mean: list[Cell | None]) -> list[Point]:
    """The mean from age 1 on; age 0 is always everyone and would flatten the rest."""
    cells = [(age, cell) for age, cell in enumerate(mean) if cell is not None and age]
    if len(cells) < 2:
        return []
    top = max(cell.share for _, cell in cells) or 1.0
    last = cells[-1][0]
    step = max(1, round(len(cells) / 9))
    return [
        Point(
            x=round(36 + (age - 1) / max(last - 1, 1) * (CURVE_WIDTH - 72), 1),
            y=round(26 + (1 - cell.share / top) * (CURVE_HEIGHT - 54), 1),
            share=cell.share,
            age=age,
            is_told=(age - 1) % step == 0,
            is_spare=(age - 1) // step % 2 == 1,
        )
        for age, cell in cells
    ]
