"""Does the forecast rank and calibrate better than what is usual, and how long does it take?

The yardsticks get the same log, cut and outcome: a logistic regression on recency, frequency and money, learned in the
window before; the MBG/NBD alone; and its probability of being alive, which many tools show as churn. A log can be given
(`python -m benchmarks.churn FILE.npz AS_OF_DAY HORIZON`, arrays member, day, amount); otherwise a shop is invented
whose members order at rates of their own and leave. `--full` forecasts a million of them.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from liuke.science.btyd import mbgnbd
from liuke.science.btyd.summary import buying_summary
from liuke.science.churn.buying import fit_buying
from liuke.science.churn.forecast import forecast
from liuke.science.churn.history import read_history
from liuke.science.churn.learners import fit_logistic
from liuke.science.churn.scoring import Scores, score
from liuke.science.rfm import rfm_values

Ints = NDArray[np.int64]
Lines = tuple[Ints, Ints, Ints]
FIRST, DAYS, CUT, HORIZON = 18_262, 500, 400, 90


def invented(members: int, chance: np.random.Generator) -> Lines:
    """member, day, amount of members who join over a year, order at rates of their own, and leave at some order."""
    rate = chance.gamma(0.8, 1 / 40, members)
    leaves = chance.beta(0.8, 3.0, members)
    at = chance.uniform(0, DAYS * 0.8, members)
    here, rows = np.arange(members), []
    while len(here):
        rows.append((here, at[here].astype(np.int64)))
        at[here] += 1 + chance.exponential(1 / rate[here])
        here = here[(chance.random(len(here)) >= leaves[here]) & (at[here] < DAYS)]
    member, day = (np.concatenate(column) for column in zip(*rows, strict=True))
    return member, FIRST + day, chance.lognormal(8, 0.8, len(member)).astype(np.int64)


def rfm_columns(lines: Lines, day: int) -> NDArray[np.float64]:
    values = rfm_values(*lines, day)
    keep = values.orders > 0
    return np.column_stack(
        [values.days_since_last_order[keep], values.orders[keep], values.total[keep]]
    ).astype(np.float64)


def rfm_logistic(lines: Lines, cut: int, horizon: int) -> NDArray[np.float64]:
    """Probability of no order, learned in the window that ended at the cut."""
    known = read_history(*lines, cut)
    before = cut - horizon
    bought = known.bought_within(before, cut)[known.first <= before]
    learned = fit_logistic(rfm_columns(lines, before), np.zeros(len(bought)), bought)
    return expit(-learned.add(rfm_columns(lines, cut)))


def told(name: str, found: Scores | None) -> dict[str, Any]:
    if found is None or found.auc is None:
        return {}
    figures = (("auc", found.auc), ("brier", found.brier), ("ece", found.ece))
    return {f"{name}_{figure}": round(value, 4) for figure, value in figures}


def compared(lines: Lines, cut: int, horizon: int) -> dict[str, Any]:
    """All figures on one log."""
    whole = read_history(*lines, cut + horizon)
    left = ~whole.bought_within(cut, cut + horizon)[whole.first <= cut]
    began, worked = time.perf_counter(), time.process_time()
    found = forecast(*lines, cut, horizon)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    known = read_history(*lines, cut)
    alone = fit_buying(known, cut).log_odds(known, cut, horizon)
    summary = buying_summary(*lines, cut)
    columns = (summary.frequency, summary.recency, summary.age)
    alive = mbgnbd.probability_alive(mbgnbd.fit(summary).params, *columns)
    return {
        "members": len(left),
        "model": found.model,
        "season": round(found.level.season, 3),
        "drift": round(found.level.drift, 3),
        **told("churn", score(found.probability, left)),
        **told("rfm_logistic", score(rfm_logistic(lines, cut, horizon), left)),
        **told("btyd_alone", score(expit(-alone), left)),
        **told("not_alive", score(1 - alive, left)),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
    }


def run(*, full: bool, seed: int = 7) -> dict[str, Any]:
    """Twenty thousand members, or a million."""
    lines = invented(1_000_000 if full else 20_000, np.random.default_rng(seed))
    return {"orders": len(lines[0]), **compared(lines, FIRST + CUT, HORIZON), "seed": seed}


def main(words: list[str]) -> dict[str, Any]:
    given = [word for word in words if not word.startswith("--")]
    if not given:
        return run(full="--full" in words)
    file, cut, horizon = given
    with np.load(file) as columns:
        lines = (columns["member"], columns["day"], columns["amount"])
        return compared(lines, int(cut), int(horizon))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=2))
