"""Was a feature known before the lot? What the message or the outcome shaped gives the answer away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from liuke.science.order_log import Bools, Floats, Indexes
from liuke.science.uplift.columns import Coded, LeftOut

ODD = 0.01
"""An unlikeness of the groups that chance makes this rarely, in any of the columns, is worth a word."""

OVERWHELMING = 1e-6
"""One that chance makes this rarely is no chance: the column came after the lot."""

GIVEN_AWAY = 1e-12
SAME_RANKS = 0.99
ROWS_LEAST = 10
_LEVELS_MOST = 50


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How likely the groups are that unlike in this column by chance (times the columns), and the ruling."""

    name: str
    p: float
    left_out: LeftOut | None


def suspicions(columns: Sequence[Coded], treated: Bools, outcome: Floats) -> list[Suspicion]:
    """One for each column, in their order.

    ``follows_the_arm``: the groups differ in it as chance would once in a million such tables. Among randomised
    groups nothing known before the lot does. ``follows_the_outcome``: one of its values comes only with an outcome
    other than the commonest, on so many rows that chance is out of the question (who converted has visited); or it
    puts the rows in the same order as the outcome does.
    """
    return [
        Suspicion(
            column.name, p := unlikeness(column, treated, len(columns)), _ruling(column, p, outcome)
        )
        for column in columns
    ]


def unlikeness(column: Coded, treated: Bools, tests: int) -> float:
    """Numbers by their ranks (Welch's t on ranks), text by chi-square; times the tests made (Bonferroni)."""
    p = _ranks_p(column, treated) if column.is_number else _levels_p(column, treated)
    return min(1.0, p * tests)


def _ruling(column: Coded, p: float, outcome: Floats) -> LeftOut | None:
    if p < OVERWHELMING:
        return "follows_the_arm"
    return "follows_the_outcome" if _gives_away(column, outcome) else None


def _gives_away(column: Coded, outcome: Floats) -> bool:
    values, code, counts = np.unique(outcome, return_inverse=True, return_counts=True)
    usual = int(counts.argmax())
    share = 1.0 - counts[usual] / len(outcome)
    unusual = code != usual
    if share > 0.0:
        needed = max(ROWS_LEAST, math.log(GIVEN_AWAY) / math.log(share) if share < 1 else math.inf)
        for rows, hits in _cells(column, unusual):
            if rows >= needed and hits == rows:
                return True
    return column.is_number and len(values) > 2 and _same_order(column, code.astype(np.intp))


def _cells(column: Coded, unusual: Bools) -> list[tuple[int, int]]:
    """Rows and unusual outcomes of each common value, and of all but the commonest value together."""
    rows = np.bincount(column.code, minlength=len(column.values))
    hits = np.bincount(column.code, weights=unusual, minlength=len(column.values))
    common = np.argsort(-rows, kind="stable")[:_LEVELS_MOST]
    cells = [(int(rows[at]), int(hits[at])) for at in common]
    top = common[0]
    return [*cells, (int(rows.sum() - rows[top]), int(hits.sum() - hits[top]))]


def _same_order(column: Coded, code: Indexes) -> bool:
    first, second = _mid_ranks(column.code), _mid_ranks(code)
    first, second = first - first.mean(), second - second.mean()
    size = math.sqrt(float(first @ first) * float(second @ second))
    return (
        len(first) >= ROWS_LEAST * 3 and size > 0 and abs(float(first @ second)) > SAME_RANKS * size
    )


def _mid_ranks(code: Indexes) -> Floats:
    counts = np.bincount(code)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts - 1) / 2)[code]
    return ranks


def _ranks_p(column: Coded, treated: Bools) -> float:
    ranks = _mid_ranks(column.code)
    first, second = ranks[treated], ranks[~treated]
    error = first.var() / len(first) + second.var() / len(second)
    z = float(first.mean() - second.mean()) / math.sqrt(error) if error > 0 else 0.0
    return math.erfc(abs(z) / math.sqrt(2))


def _levels_p(column: Coded, treated: Bools) -> float:
    """Values expected fewer than five times in a group are one value."""
    rows = np.bincount(column.code, minlength=len(column.values)).astype(np.float64)
    hits = np.bincount(column.code, weights=treated, minlength=len(column.values))
    share = float(treated.mean())
    rare = rows * min(share, 1 - share) < 5
    rows = np.append(rows[~rare], rows[rare].sum())
    hits = np.append(hits[~rare], hits[rare].sum())
    rows, hits = rows[rows > 0], hits[rows > 0]
    if len(rows) < 2:
        return 1.0
    chi = float((((hits - rows * share) ** 2) / (rows * share * (1 - share))).sum())
    return float(chdtrc(len(rows) - 1, chi))
