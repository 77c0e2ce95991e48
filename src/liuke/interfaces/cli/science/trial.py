"""From a plain table to one trial: who was treated, what came of it, and what was known of each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from liuke.analytics.orderlog import Table, UnreadableLog, read_table

if TYPE_CHECKING:
    from liuke.science.uplift.columns import Column

_NOTHING = frozenset({"", "null", "none", "nan", "na", "<na>", "n/a", "\\n", "-", "--", "nat"})
_YES = frozenset({"1", "true", "t", "yes", "y", "是"})
_NO = frozenset({"0", "false", "f", "no", "n", "否"})
_CONTROL = frozenset(
    {
        "control",
        "controls",
        "ctrl",
        "holdout",
        "hold-out",
        "hold_out",
        "holdback",
        "placebo",
        "untreated",
    }
    | {"none", "nothing", "off", "not treated", "no treatment", "baseline", "unexposed"}
    | {"对照", "对照组", "留白", "留白组", "控制组", "未发送", "不发", "没有"}
    | _NO
)
_CONTROL_START = re.compile(r"(no|not|without|control|ctrl)[\s_-]")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Rows that can be used, in the file's order; ``row`` counts all of the file's from 1."""

    row: list[int]
    treated: NDArray[np.bool_]
    outcome: NDArray[np.float64]
    columns: list[Column]
    risk: NDArray[np.float64] | None
    control: str
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the flags say, columns by name or number."""

    treatment: str
    outcome: str
    control: str | None
    risk: str | None
    member: str | None
    ignored: tuple[str, ...]
    decimal: str


def read_trial(file: Path, asked: Asked) -> Trial:
    """Raises click.ClickException with one sentence for a file or a column that cannot be used."""
    try:
        return _trial(read_table(file, (asked.treatment, asked.outcome)), asked)
    except UnreadableLog as refused:
        raise click.ClickException(str(refused)) from refused


def _trial(table: Table, asked: Asked) -> Trial:
    arm_at, outcome_at = table.index(asked.treatment), table.index(asked.outcome)
    if arm_at == outcome_at:
        raise click.ClickException("The treatment and the outcome cannot be the same column.")
    apart = {table.index(name) for name in (asked.member, *asked.ignored) if name is not None}
    arms, control = _arms(table.columns[arm_at], _name(table, arm_at), asked.control)
    outcome = _outcome(table.columns[outcome_at], _name(table, outcome_at), asked.decimal)
    known = np.array([arm is not None for arm in arms]) & np.isfinite(outcome)
    notes = [f"{table.bad:,} rows left out: not as wide as the others."] if table.bad else []
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows left out: no treatment or no outcome.")
    keep = np.flatnonzero(known).tolist()
    columns = [
        _column(_name(table, at), [cells[place] for place in keep], asked.decimal)
        for at, cells in enumerate(table.columns)
        if at not in apart | {arm_at, outcome_at}
    ]
    return Trial(
        row=[table.row[place] for place in keep],
        treated=np.array([arms[place] is True for place in keep], dtype=np.bool_),
        outcome=outcome[known],
        columns=columns,
        risk=_risk(table, asked, known),
        control=control,
        notes=notes,
    )


def _arms(cells: list[str], name: str, control: str | None) -> tuple[list[bool | None], str]:
    """Treated or not, None where nothing is said; and the value that means control."""
    same = {cell: _tidy(cell) for cell in set(cells)}
    shown: dict[str, str] = {}
    for cell in sorted(same):
        if control is not None or same[cell] not in _NOTHING - {"none"}:
            shown.setdefault(same[cell], cell)
    shown.pop("", None)
    if len(shown) > 2:
        some = ", ".join(list(shown.values())[:5])
        raise click.ClickException(
            f"Column “{name}” has {len(shown):,} values ({some}{', …' if len(shown) > 5 else ''}):"
            " keep the rows of two, treated and control."
        )
    if len(shown) < 2:
        only = next(iter(shown.values()), "nothing")
        raise click.ClickException(
            f"Column “{name}” says “{only}” for everybody: without a second group there is no effect."
        )
    chosen = _control(shown, name, control)
    other = next(value for value in shown if value != chosen)
    found = {chosen: False, other: True}
    return [found.get(same[cell]) for cell in cells], shown[chosen]


def _control(shown: dict[str, str], name: str, asked: str | None) -> str:
    if asked is not None:
        if _tidy(asked) not in shown:
            raise click.ClickException(f"Column “{name}” has no value “{asked}”.")
        return _tidy(asked)
    likely = [value for value in shown if value in _CONTROL or _CONTROL_START.match(value)]
    if len(likely) != 1:
        first, second = shown.values()
        raise click.ClickException(
            f"Whether “{first}” or “{second}” of column “{name}” is the control cannot be told:"
            " say it with --control."
        )
    return likely[0]


def _tidy(cell: str) -> str:
    """`True`, `TRUE` and `true` are one value, and so are 1 and 1.0."""
    text = cell.strip().casefold()
    whole = re.fullmatch(r"(-?\d+)\.0*", text)
    return whole[1] if whole else text


def _outcome(cells: Sequence[str], name: str, decimal: str) -> NDArray[np.float64]:
    """NaN where nothing is said; yes and no are 1 and 0."""
    values: dict[str, float] = {}
    for cell in set(cells):
        text = cell.casefold()
        found = _number(cell, decimal)
        if found is None and text not in _NOTHING:
            if text not in _YES | _NO:
                raise click.ClickException(
                    f"The outcome “{name}” must be a number or yes and no, not “{cell[:40]}”."
                )
            found = float(text in _YES)
        values[cell] = math.nan if found is None else found
    return np.array([values[cell] for cell in cells])


def _risk(table: Table, asked: Asked, known: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    if asked.risk is None:
        return None
    at = table.index(asked.risk)
    found = _outcome(table.columns[at], _name(table, at), asked.decimal)[known]
    return np.where(np.isfinite(found), found, np.nanmin(found, initial=0.0))


def _column(name: str, cells: list[str], decimal: str) -> Column:
    """A number in every cell that says something makes a column of numbers."""
    from liuke.science.uplift.columns import Column

    read = {cell: _number(cell, decimal) for cell in set(cells)}
    missing = {cell for cell in read if cell.casefold() in _NOTHING}
    if len(missing) < len(read) and all(read[cell] is not None for cell in read.keys() - missing):
        numbers = {cell: math.nan if figure is None else figure for cell, figure in read.items()}
        return Column(name, numbers=np.array([numbers[cell] for cell in cells]))
    return Column(name, labels=[cell.casefold() for cell in cells])


def _number(text: str, decimal: str) -> float | None:
    if decimal == ",":
        text = text.replace(".", "").replace(",", ".")
    elif _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if "_" in text:
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _name(table: Table, at: int) -> str:
    return table.look.columns[at].name
