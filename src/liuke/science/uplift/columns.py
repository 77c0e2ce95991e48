"""From columns as they stand in a table to a matrix of features; what is left out is told with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from liuke.science.errors import InvalidInput
from liuke.science.order_log import Floats, Indexes

LEVELS_MOST = 20
"""So many of a text column's commonest values are features of their own; the others share one."""

LEVEL_SHARE = 0.002
"""A text value rarer than this joins the others."""

ID_FROM = 30
"""With fewer rows nothing is taken for an id: that all values differ means little."""

LeftOut = Literal["constant", "id_like", "follows_the_arm", "follows_the_outcome"]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: ``numbers`` (NaN where missing) or ``labels`` (empty where missing), shape (rows,)."""

    name: str
    numbers: Floats | None = None
    labels: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column as codes 0, 1, … of its sorted distinct values, shape (rows,); ``values`` as text or float."""

    name: str
    is_number: bool
    code: Indexes
    values: np.ndarray


def coded(column: Column, rows: int) -> Coded:
    """The column's distinct values, missing ones last among numbers. Raises InvalidInput."""
    given = column.numbers if column.numbers is not None else column.labels
    if given is None or len(given) != rows:
        raise InvalidInput(f"column {column.name} needs one value for each row")
    values, code = np.unique(np.asarray(given), return_inverse=True)
    if column.numbers is not None and bool(np.isinf(values).any()):
        raise InvalidInput(f"column {column.name} has infinite values")
    return Coded(column.name, column.numbers is not None, code.astype(np.intp), values)


def why_useless(column: Coded) -> LeftOut | None:
    """A constant tells nothing, and a value that hardly anybody shares names a row, it does not describe one."""
    rows, distinct = len(column.code), len(column.values)
    if distinct < 2:
        return "constant"
    if rows < ID_FROM:
        return None
    if not column.is_number:
        return "id_like" if distinct > 0.5 * rows else None
    known = column.values[np.isfinite(column.values)]
    is_whole = bool((known == np.rint(known)).all())
    return "id_like" if is_whole and distinct > 0.95 * rows and distinct > 1_000 else None


def features(columns: Sequence[Coded], rows: int) -> Floats:
    """One matrix, shape (rows, k): numbers as they are, text one column a value.

    A missing number is the median, and a column of its own says where it was missing.
    """
    parts = [
        part for column in columns for part in (_numbers if column.is_number else _levels)(column)
    ]
    if not parts:
        return np.empty((rows, 0))
    return np.column_stack(parts)


def _numbers(column: Coded) -> list[Floats]:
    figures = column.values[column.code].astype(np.float64)
    missing = np.isnan(figures)
    if not bool(missing.any()):
        return [figures]
    middle = float(np.median(figures[~missing])) if not bool(missing.all()) else 0.0
    return [np.where(missing, middle, figures), missing.astype(np.float64)]


def _levels(column: Coded) -> list[Floats]:
    rows = np.bincount(column.code, minlength=len(column.values))
    common = np.lexsort((np.arange(len(rows)), -rows))[:LEVELS_MOST]
    common = common[rows[common] >= max(2, LEVEL_SHARE * len(column.code))]
    if len(common) == len(rows):
        common = common[1:]  # the commonest is where the others are none
    return [(column.code == level).astype(np.float64) for level in np.sort(common)]
