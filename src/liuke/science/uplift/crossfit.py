"""Cross-fitting: every row's uplift foretold by models trained without it, by the learner that does best elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from liuke.science.order_log import Bools, Floats, Indexes
from liuke.science.uplift.learners import Base, Rows, bases, corrected_effects, foretell
from liuke.science.uplift.qini import judged, qini

FOLDS = 5
TOGETHER = "mean_of_all"
"""The mean of all learners, itself one of those compared."""

LEARN_MOST = 100_000
"""A model learns from at most so many rows, drawn by chance: more make it slower, hardly better."""

_REPEATED_UNTIL = ((2_000, 8), (4_000, 4), (200_000, 2))
_SHUFFLES = 60


@dataclass(frozen=True, slots=True, eq=False)
class CrossFitted:
    """``uplift`` and expected ``outcome`` of each row, shape (rows,), by models that never saw the row.

    ``uplift`` has mean 0: how much more or less than the average a row is moved. ``learner`` was chosen most
    often; ``qinis`` are those of all learners compared.
    """

    uplift: Floats
    outcome: Floats
    learner: str
    qinis: dict[str, float]


def cross_fit(rows: Rows, *, seed: int = 0) -> CrossFitted:
    """Split in five, learn on four, foretell the fifth; repeated where rows are few, and averaged.

    Each fold is foretold by the mean of all learners, or by one whose Qini clearly leads in the other four: no row
    helps to choose who foretells it, so the Qini of what comes out is an honest one. Scores are centred within each
    fold: that a fold's models run high because the fold ran low is no news of its rows. The result depends on the
    order of the rows only where rows are equal in everything.
    """
    chance = np.random.default_rng(seed)
    order = chance.permutation(_own_order(rows))
    mine = rows.of(order)
    repeats = next((times for most, times in _REPEATED_UNTIL if len(order) <= most), 1)
    rounds = [_round(mine, chance) for _ in range(repeats)]
    compared = {
        name: np.mean([each.candidates[name] for each in rounds], axis=0)
        for name in rounds[0].candidates
    }
    chosen = Counter(name for each in rounds for name in each.chosen)
    uplift, outcome = np.empty(len(order)), np.empty(len(order))
    uplift[order] = np.mean([each.uplift for each in rounds], axis=0)
    outcome[order] = np.mean([each.outcome for each in rounds], axis=0)
    return CrossFitted(
        uplift,
        outcome,
        max(sorted(chosen), key=lambda name: chosen[name]),
        {name: qini(score, mine.treated, mine.outcome) for name, score in compared.items()},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    uplift: Floats
    outcome: Floats
    chosen: list[str]
    candidates: dict[str, Floats]


def _round(rows: Rows, chance: np.random.Generator) -> _Round:
    fold = _folds(rows.treated, chance)
    candidates: dict[str, Floats] = {}
    outcome = np.zeros(len(fold))
    found = bases(rows)
    for each in range(FOLDS):
        _foretell_fold(found, rows, fold == each, candidates, outcome)
    candidates[TOGETHER] = np.mean(list(candidates.values()), axis=0)
    null = judged(candidates[TOGETHER], rows.treated, rows.outcome, shuffles=_SHUFFLES)
    scatter = null.null_975 / 1.96  # one standard deviation of the Qini of random scores
    uplift, chosen = np.empty(len(fold)), []
    for each in range(FOLDS):
        elsewhere = fold != each
        best = _best(candidates, rows.of(elsewhere), elsewhere, scatter)
        chosen.append(best)
        uplift[~elsewhere] = candidates[best][~elsewhere]
    return _Round(uplift, outcome, chosen, candidates)


def _foretell_fold(
    found: list[Base], rows: Rows, inside: Bools, candidates: dict[str, Floats], outcome: Floats
) -> None:
    known, others = rows.of(np.flatnonzero(~inside)[:LEARN_MOST]), rows.features[inside]
    effects = corrected_effects(found[0], known)
    for base in found:
        told = foretell(base, known, others, effects)
        outcome[inside] += told.outcome / len(found)
        for name, score in told.uplift.items():
            candidates.setdefault(name, np.empty(len(inside)))[inside] = score - score.mean()


def _best(candidates: dict[str, Floats], rows: Rows, chosen: Bools, scatter: float) -> str:
    """The mean of all learners, unless one leads it by more than chance scatters."""
    found = {
        name: qini(score[chosen], rows.treated, rows.outcome) for name, score in candidates.items()
    }
    best = max(found, key=lambda name: np.nan_to_num(found[name], nan=-np.inf))
    return best if found[best] - found[TOGETHER] > scatter else TOGETHER


def _own_order(rows: Rows) -> Indexes:
    """An order that the rows' own content gives."""
    keys = (*rows.features.T[::-1], rows.outcome, rows.treated)
    return np.lexsort(keys)


def _folds(treated: Bools, chance: np.random.Generator) -> Indexes:
    """Five folds with like shares of both groups, drawn among the rows of each group.

    By chance alone: folds made alike in features and outcome too would share the noise that is to be told apart.
    """
    fold = np.empty(len(treated), dtype=np.intp)
    for group in (treated, ~treated):
        rows = int(group.sum())
        fold[group] = chance.permutation(rows) % FOLDS
    return fold
