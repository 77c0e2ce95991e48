"""Do the lists foretell the next basket better than what is popular and what was bought most often, and how fast?

Same history, same truth (the first basket within the horizon after the last day but a horizon), same recall@10: the
yardsticks are the most popular items, and each member's own most frequent ones with the popular as ties and filling.
A log can be given (`python -m benchmarks.recommend FILE.npz`, arrays member, day, item); otherwise a shop is invented:
members with tastes, items with fame, season and a habit of being bought again.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuke.science.recommend.fit import fit_lines
from liuke.science.recommend.habits import popularity
from liuke.science.recommend.lines import Lines, read_lines
from liuke.science.recommend.recall import Truth, next_baskets, recall
from liuke.science.recommend.recommender import Recommender

Ints = NDArray[np.int64]
K, HORIZON = 10, 30
THEMES = 25
FOREVER = 1e9


def invented(
    members: int, items: int, days: int, chance: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """member, day, item of a shop whose members buy every few months, some far more often."""
    fame = 1 / np.arange(1, items + 1) ** 0.8
    theme = chance.integers(0, THEMES, items)
    again = chance.beta(1, 2, items)  # how likely a bought item is a habit
    peak = chance.integers(0, 365, items)
    rows: list[tuple[int, int, int]] = []
    for member in range(members):
        taste = chance.dirichlet(np.full(THEMES, 0.2))
        visits = np.flatnonzero(chance.random(days) < chance.gamma(0.6, 0.015))
        habits: list[int] = []
        for day in visits.tolist():
            season = 1 + np.cos((day - peak) * 2 * np.pi / 365)
            odds = fame * (0.02 + taste[theme]) * season
            fresh = chance.choice(items, size=1 + chance.poisson(3), p=odds / odds.sum())
            kept = [item for item in habits if chance.random() < 0.35]
            rows += [(member, day, item) for item in {*fresh.tolist(), *kept}]
            habits += [item for item in fresh.tolist() if chance.random() < again[item]]
    member, day, item = np.array(rows, dtype=np.int64).T
    return member, day, item


def popular_lists(lines: Lines, truth: dict[int, set[int]], *, new_only: bool) -> dict[int, Any]:
    """The most popular items of all time; without those a member had."""
    order = np.argsort(-popularity(lines, 0, FOREVER), kind="stable")
    return {who: _unowned(lines, order, who) if new_only else order[:K].tolist() for who in truth}


def own_lists(lines: Lines, truth: dict[int, set[int]]) -> dict[int, Any]:
    """What each bought most often; ties and empty places by what is popular."""
    popular = popularity(lines, 0, FOREVER)
    lists = {}
    for who in truth:
        begin, end = np.searchsorted(lines.member, [who, who + 1])
        own = np.bincount(lines.item[begin:end], minlength=len(popular))
        lists[who] = np.argsort(-(own + popular / (popular.max() + 1)), kind="stable")[:K].tolist()
    return lists


def _unowned(lines: Lines, order: Ints, who: int) -> list[int]:
    begin, end = np.searchsorted(lines.member, [who, who + 1])
    owned = np.zeros(len(order), dtype=bool)
    owned[lines.item[begin:end]] = True
    return order[~owned[order]][:K].tolist()


def our_lists(recommender: Recommender, lines: Lines, *, new_only: bool) -> dict[int, Any]:
    lists: dict[int, list[int]] = {}
    for member, _, item in recommender.everyone(K, new_only=new_only):
        places = lines.members.searchsorted(member), lines.items.searchsorted(item)
        for who, what in zip(*(each.tolist() for each in places), strict=True):
            lists.setdefault(who, []).append(what)
    return lists


def serve_microseconds(recommender: Recommender) -> dict[str, float]:
    """A member at a time with reasons, as a page asks; median."""
    told = {}
    for name, one in (("all", recommender.for_member), ("new", recommender.discover)):
        took = []
        for member in recommender.members[:500].tolist():
            started = time.perf_counter()
            one(member, K)
            took.append(time.perf_counter() - started)
        told[f"serve_{name}_us"] = round(1e6 * float(np.median(took)), 1)
    return told


def measured(lines: Lines, as_of_day: int) -> dict[str, Any]:
    started = time.perf_counter()
    recommender = fit_lines(lines, as_of_day=as_of_day, horizon_days=HORIZON)
    told: dict[str, Any] = {"fit_seconds": round(time.perf_counter() - started, 2)}
    told |= serve_microseconds(recommender)
    truth: Truth = next_baskets(lines, as_of_day, HORIZON)
    past = lines.until(as_of_day)
    for new_only, name in ((False, "recall"), (True, "recall_new")):
        wanted = truth.by_member(new_only=new_only)
        popular = recall(popular_lists(past, wanted, new_only=new_only), wanted) or 0.0
        ours = recall(our_lists(recommender, lines, new_only=new_only), wanted) or 0.0
        told |= {f"{name}_members": len(wanted), name: round(ours, 4)}
        told[f"{name}_popular"] = round(popular, 4)
        told[f"{name}_times_popular"] = round(ours / popular, 2) if popular else None
        if not new_only:
            own = recall(own_lists(past, wanted), wanted) or 0.0
            told["recall_own"] = round(own, 4)
            told["recall_times_own"] = round(ours / own, 2) if own else None
    chosen = recommender.settings
    return {**told, "half_life": chosen.half_life, "penalty": chosen.penalty, "k": K}


def run(*, full: bool, file: Path | None = None, seed: int = 7) -> dict[str, Any]:
    """Measure on a log given, or on an invented shop."""
    if file is not None:
        with np.load(file) as arrays:
            member, day, item = (arrays[name] for name in ("member", "day", "item"))
    else:
        size = (6_000, 3_800, 730) if full else (400, 300, 365)
        member, day, item = invented(*size, np.random.default_rng(seed))
    lines = read_lines(member, day, item)
    shop = {"members": len(lines.members), "items": len(lines.items), "lines": len(lines.item)}
    return {**shop, **measured(lines, int(lines.day.max()) - HORIZON), "seed": seed}


if __name__ == "__main__":
    given = next((Path(word) for word in sys.argv[1:] if not word.startswith("-")), None)
    print(json.dumps(run(full="--full" in sys.argv, file=given), indent=2))
