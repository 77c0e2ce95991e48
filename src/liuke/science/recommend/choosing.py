"""Settings that a log chooses for itself, by foretelling its own last weeks from what came before.

Two inner splits, one and two horizons before the as-of day; nothing after the as-of day is looked
at. A setting leaves its usual value only for one whose recall@10 is better by more than one
standard error of the paired difference and by more than one in a hundred: a shop too small to tell
keeps the usual one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from liuke.science.order_log import Bools, Floats, Int64s, run_starts
from liuke.science.recommend.ease import (
    Float32s,
    ease,
    gram,
    most_bought,
    owned_matrix,
    usual_penalty,
)
from liuke.science.recommend.habits import heat, popularity, totals
from liuke.science.recommend.lines import Lines
from liuke.science.recommend.recall import next_baskets

MEMBERS_NEEDED = 50
"""Fewer members with a next basket in an inner split than this, and it is not looked at."""

WORTH = 0.01
"""The least gain for which a setting is changed, in shares of the recall it had."""

MOST_MEMBERS = 1_000
MOST_ITEMS = 2_000
_K = 10

HALF_LIVES = (15.0, 30.0, 60.0, 90.0, 180.0, 365.0, 1460.0)
OWN_SHARE = 0.3
PRIORS = (0.2, 1.0, 2.0, 5.0, 10.0)
POWERS = (0.0, 0.25, 0.5)
PENALTIES = (1.0, 4.0, 16.0)
DISCOVERY = (0.0, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen: ``half_life`` days, ``prior`` baskets, the power of heat in either list, the
    ``penalty`` of EASE in owners of the average purchase, its ``scale`` to a chance, and how much
    of that counts for items not owned in the list of all. ``basis`` says where they come from."""

    half_life: float = 90.0
    prior: float = 5.0
    heat_power: float = 0.25
    new_heat_power: float = 0.5
    penalty: float = 4.0
    scale: float = 0.05
    discovery: float = 0.0
    basis: str = "too_few"


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """Habits of the members looked at, dense: members by items, members, items, items."""

    weight: Floats
    baskets: Floats
    share: Floats
    heat: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """A past day, some of its members, and what they bought next; dense, members by items."""

    lines: Lines
    day: int
    cell: Int64s
    """Where in the table of members by items each row of ``lines`` counts; -1 for none of it."""
    row: Int64s
    items: Int64s
    truth: Bools
    owned: Bools
    both: Float32s

    def counted(self, half_life: float) -> _Counted:
        decay = np.exp2((self.lines.day - self.day) / half_life)
        there = self.cell >= 0
        size = self.truth.size
        weight = totals(self.cell[there], decay[there], size)
        first = self.lines.basket_rows()
        baskets = totals(self.lines.member[first], decay[first], len(self.row))
        share = popularity(self.lines, self.day, half_life) / baskets.sum()
        warm = heat(self.lines, self.day, half_life)
        return _Counted(
            weight.reshape(self.truth.shape),
            baskets[self.row >= 0],
            share[self.items],
            warm[self.items],
        )


def usual_settings(lines: Lines, as_of_day: int) -> Settings:
    """What holds until the log says otherwise: a prior of three tenths of a member's own baskets."""
    usual = Settings()
    first = lines.basket_rows()
    if not len(first):
        return usual
    decay = np.exp2((lines.day[first] - as_of_day) / usual.half_life)
    members = len(run_starts(lines.member))
    prior = OWN_SHARE * float(decay.sum()) / members
    return replace(usual, prior=min(max(prior, min(PRIORS)), max(PRIORS)))


def choose_settings(lines: Lines, as_of_day: int, horizon_days: int) -> Settings:
    """The settings for ``lines``, which hold nothing after ``as_of_day``. Deterministic."""
    usual = usual_settings(lines, as_of_day)
    days = (as_of_day - horizon_days, as_of_day - 2 * horizon_days)
    splits = [split for day in days if (split := _split(lines, day, horizon_days)) is not None]
    if not splits:
        return usual
    chosen = replace(usual, basis="chosen")
    chosen = _choose_habits(splits, chosen)
    return _choose_discovery(splits, chosen)


def _split(lines: Lines, day: int, horizon_days: int) -> _Split | None:
    past, truth = lines.until(day), next_baskets(lines, day, horizon_days)
    who = np.unique(truth.member)
    if len(who) < MEMBERS_NEEDED:
        return None
    who = who[np.linspace(0, len(who) - 1, min(len(who), MOST_MEMBERS)).astype(np.int64)]
    items = most_bought(np.bincount(past.item, minlength=len(lines.items)), MOST_ITEMS)
    row, column = np.full(len(lines.members), -1), np.full(len(lines.items), -1)
    row[who], column[items] = np.arange(len(who)), np.arange(len(items))
    dense = np.zeros((len(who), len(items)), dtype=bool)
    next_ = _cells(row[truth.member], column[truth.item], len(items))
    dense.ravel()[next_[next_ >= 0]] = True
    ownership = owned_matrix(past, items)
    return _Split(
        lines=past,
        day=day,
        cell=_cells(row[past.member], column[past.item], len(items)),
        row=row,
        items=items,
        truth=dense,
        owned=ownership[who].toarray() > 0,
        both=gram(ownership),
    )


def _cells(row: Int64s, column: Int64s, width: int) -> Int64s:
    return np.where((row >= 0) & (column >= 0), row * width + column, -1)


def _choose_habits(splits: Sequence[_Split], chosen: Settings) -> Settings:
    def score(split: _Split, tried: Settings) -> Floats:
        return _habit_scores(split.counted(tried.half_life), tried)

    best = _best_of_counted(splits, chosen, "prior", PRIORS)
    best = _best(splits, best, score, "half_life", HALF_LIVES, new_only=False)
    if best.half_life != chosen.half_life:
        best = _best_of_counted(splits, best, "prior", PRIORS)
    return _best_of_counted(splits, best, "heat_power", POWERS)


def _best_of_counted(
    splits: Sequence[_Split], chosen: Settings, name: str, options: Sequence[float]
) -> Settings:
    """The best option of a setting that leaves the counts as they are."""
    known = {split.day: split.counted(chosen.half_life) for split in splits}

    def score(split: _Split, tried: Settings) -> Floats:
        return _habit_scores(known[split.day], tried)

    return _best(splits, chosen, score, name, options, new_only=False)


def _choose_discovery(splits: Sequence[_Split], chosen: Settings) -> Settings:
    known: dict[tuple[int, float], Floats] = {}

    def liked(split: _Split, penalty: float) -> Floats:
        if (split.day, penalty) not in known:
            model = ease(split.both, penalty * usual_penalty(split.both))
            liked = split.owned.astype(np.float32) @ model
            known[split.day, penalty] = np.maximum(liked, 0.0).astype(np.float64)
        return known[split.day, penalty]

    counted = {split.day: split.counted(chosen.half_life) for split in splits}

    def score(split: _Split, tried: Settings) -> Floats:
        return liked(split, tried.penalty) * counted[split.day].heat ** tried.new_heat_power

    best = _best(splits, chosen, score, "penalty", PENALTIES, new_only=True)
    best = _best(splits, best, score, "new_heat_power", POWERS, new_only=True)
    best = replace(best, scale=_scale(splits, best, score))

    def everything(split: _Split, tried: Settings) -> Floats:
        fresh = np.where(split.owned, 0.0, score(split, tried) * tried.scale)
        return _habit_scores(counted[split.day], tried) + tried.discovery * fresh

    return _best(splits, best, everything, "discovery", DISCOVERY, new_only=False)


def _habit_scores(found: _Counted, tried: Settings) -> Floats:
    prior = tried.prior * found.share
    chance = (found.weight + prior) / (found.baskets + tried.prior)[:, None]
    scores: Floats = chance * found.heat**tried.heat_power
    return scores


def _scale(
    splits: Sequence[_Split], chosen: Settings, score: Callable[[_Split, Settings], Floats]
) -> float:
    """New items bought next over the scores of all that could have been: a score to a chance."""
    bought = sum(float((split.truth & ~split.owned).sum()) for split in splits)
    told = sum(float(score(split, chosen)[~split.owned].sum()) for split in splits)
    return bought / told if told > 0 and bought > 0 else Settings().scale


def _best(
    splits: Sequence[_Split],
    chosen: Settings,
    score: Callable[[_Split, Settings], Floats],
    name: str,
    options: Sequence[float],
    *,
    new_only: bool,
) -> Settings:
    """The option of the greatest gain over the present value, if one is sure and worth it."""

    def measured(option: float) -> Floats:
        tried = replace(chosen, **{name: option})  # type: ignore[arg-type]
        return np.concatenate([_recalls(split, score(split, tried), new_only) for split in splits])

    present = getattr(chosen, name)
    usual = measured(present)
    best, most = present, 0.0
    for option in options:
        if option == present or len(usual) < MEMBERS_NEEDED:
            continue
        gain = measured(option) - usual
        error = float(gain.std()) / np.sqrt(len(gain))
        if gain.mean() > max(most, error, float(usual.mean()) * WORTH):
            best, most = option, float(gain.mean())
    return replace(chosen, **{name: best})


def _recalls(split: _Split, scores: Floats, new_only: bool) -> Floats:
    """recall@10 of each member with a truth, shape (members with one,)."""
    truth: NDArray[np.bool_] = split.truth
    if new_only:
        truth = truth & ~split.owned
        scores = np.where(split.owned, -np.inf, scores)
    size = truth.sum(axis=1)
    some = size > 0
    k = min(_K, scores.shape[1])
    first = np.argpartition(-scores[some], k - 1, axis=1)[:, :k]
    hits = np.take_along_axis(truth[some], first, axis=1).sum(axis=1)
    shares: Floats = hits / size[some]
    return shares
