"""Does uplift hold what it promises, on simulated campaigns whose truth is known?

Three promises: the interval of the average effect covers the truth in 95 of 100 campaigns; looking every day raises
no more false alarms than looking once; what could have been found is found. The yardsticks are what most tools do:
the usual 95 % interval looked at daily, and one look at the end.
"""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuke.science.adjustment import regression_adjusted
from liuke.science.experiments import anytime_confidence
from liuke.science.sequential import boundaries
from liuke.science.uplift.analysis import analyse
from liuke.science.uplift.columns import Column
from liuke.science.uplift.effect import average_effect

Generator = np.random.Generator
Floats = NDArray[np.float64]
LOOKS = 30
SEEN_91 = 1.96 + 1.34  # standard errors that one look sees 91 times in 100


@dataclass(frozen=True)
class Mailing:
    """A campaign such as shops send: what was known of each, who got it, who visited, and the true uplift of each."""

    columns: list[Column]
    treated: NDArray[np.bool_]
    visit: Floats
    spend: Floats
    uplift: Floats


def mailing(
    chance: Generator, rows: int, *, effect: float = 0.045, spread: float = 0.6, share: float = 0.5
) -> Mailing:
    """Visits at 11 %, moved by ``effect`` on average; ``spread`` of it depends on what somebody bought before."""
    months = chance.integers(1, 13, rows)
    spent = np.round(np.exp(chance.normal(4.9, 0.95, rows)).clip(29.99), 2)
    bought = chance.choice(3, rows, p=[0.45, 0.45, 0.10])  # one line, the other, both
    place = chance.choice(["Rural", "Suburban", "Urban"], rows, p=[0.15, 0.45, 0.40])
    way = chance.choice(["Phone", "Web", "Multichannel"], rows, p=[0.44, 0.44, 0.12])
    is_new = chance.integers(0, 2, rows)
    steps = np.searchsorted([100, 200, 350, 500, 750, 1000], spent)
    other = (bought != 0).astype(float)
    rate = 0.105 - 0.006 * (months - 6.5) + 0.02 * np.log(spent / 134) - 0.04 * (is_new - 0.5)
    rate = (rate + 0.05 * (bought == 2)).clip(0.02, 0.7)
    moved = 1 + spread * ((other - 0.55) / 0.5 - 0.15 * (months - 6.5) / 3.45)
    uplift = (effect * moved).clip(-rate + 0.01, 1 - rate)
    treated = chance.random(rows) < share
    visit = (chance.random(rows) < rate + uplift * treated).astype(float)
    buys = visit * (chance.random(rows) < 0.06)
    columns = [
        Column("recency", months.astype(float)),
        Column("history_segment", labels=[f"{step + 1}) band" for step in steps]),
        Column("history", spent),
        Column("mens", (bought != 1).astype(float)),
        Column("womens", other),
        Column("zip_code", labels=place.tolist()),
        Column("newbie", is_new.astype(float)),
        Column("channel", labels=way.tolist()),
    ]
    return Mailing(columns, treated, visit, np.round(buys * spent * 0.8, 2), uplift)


def coverage(chance: Generator, rows: int, times: int) -> dict[str, float]:
    """How often each interval held the mean of all uplifts there could be, in percent."""
    truth = float(mailing(np.random.default_rng(0), 400_000).uplift.mean())
    held = {"plain": 0, "adjusted": 0, "money": 0}
    for _ in range(times):
        told = mailing(chance, rows)
        spent = told.columns[2].numbers
        assert spent is not None
        known = np.column_stack([np.log(spent), told.columns[0].numbers, told.columns[6].numbers])
        value = told.visit + np.log(spent)
        plain = average_effect(told.treated, told.visit).effect
        adjusted = regression_adjusted(told.treated, told.visit, known).adjusted
        money = regression_adjusted(told.treated, value, known).adjusted
        for name, found in (("plain", plain), ("adjusted", adjusted), ("money", money)):
            held[name] += found.low <= truth <= found.high
    return {f"{name}_covered": round(100 * hits / times, 2) for name, hits in held.items()}


def daily(chance: Generator, times: int, effect: float) -> Floats:
    """Standard errors from zero at 30 looks, shape (times, 30); ``effect`` is that of the last look."""
    steps = chance.normal(effect / LOOKS, 1 / math.sqrt(LOOKS), (times, LOOKS))
    return np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, LOOKS + 1) / LOOKS)


def found_by(z: Floats) -> dict[str, float]:
    """The share of campaigns in which each way of looking finds something, in percent."""
    at = np.arange(1, LOOKS + 1)
    normal = boundaries(at / LOOKS)
    pocock = boundaries(at / LOOKS, spending="pocock")
    always = [_width(anytime_confidence(int(n) * 1_000, planned=LOOKS * 1_000)) for n in at]
    return {
        "once": _percent(np.abs(z[:, -1]) > 1.96),
        "daily_naive": _percent((np.abs(z) > 1.96).any(axis=1)),
        "obrien_fleming": _percent((np.abs(z) > normal.bounds).any(axis=1)),
        "pocock": _percent((np.abs(z) > pocock.bounds).any(axis=1)),
        "always_valid": _percent((np.abs(z) > np.array(always)).any(axis=1)),
    }


def _width(confidence: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + confidence / 2)


def _percent(happened: NDArray[np.bool_]) -> float:
    return round(100 * float(happened.mean()), 2)


def learning(chance: Generator, rows: int, times: int) -> dict[str, Any]:
    """How often "target" is said where uplift differs and where it does not; the Qini reached, and the oracle's."""
    said: dict[str, Any] = {}
    for name, spread in (("differs", 0.6), ("alike", 0.0)):
        found = []
        for _ in range(times):
            told = mailing(chance, rows, spread=spread)
            found.append(analyse(told.treated, told.visit, told.columns))
        said[f"{name}_target"] = _percent(np.array([each.advice == "target" for each in found]))
        qinis = [each.ranking.qini for each in found if each.ranking]
        said[f"{name}_qini"] = round(float(np.mean(qinis)), 3)
    return said


def run(*, full: bool, seed: int = 7) -> dict[str, Any]:
    """All of it; a minute or two when full."""
    chance = np.random.default_rng(seed)
    times = 20_000 if full else 2_000
    began = time.perf_counter()
    told = mailing(chance, 42_000)
    analyse(told.treated, told.visit, told.columns)
    seconds = time.perf_counter() - began
    return {
        **coverage(chance, 2_000, 2_000 if full else 100),
        **{f"alarms_{k}": v for k, v in found_by(daily(chance, times, 0.0)).items()},
        **{f"power_{k}": v for k, v in found_by(daily(chance, times, SEEN_91)).items()},
        **learning(chance, 4_000, 40 if full else 4),
        "seconds_42000_rows": round(seconds, 1),
        "seed": seed,
    }


if __name__ == "__main__":
    print(json.dumps(run(full="--full" in sys.argv), indent=2))
