"""How long does buy-till-you-die take at a million members, and does it find the parameters that made them?

Members are simulated day by day from a BG/NBD of known parameters. The yardstick run beside is the package `lifetimes`
0.11.3, in a Python of its own because the product does not need it:

    python3 -m venv yardstick && yardstick/bin/pip install lifetimes==0.11.3
    LIFETIMES_PYTHON=yardstick/bin/python liuke bench btyd

Without it the yardstick is what a textbook does: the same likelihood row by row, its slopes by differences.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from liuke.science.btyd import bgnbd, mbgnbd, paretonbd
from liuke.science.btyd.cells import compress
from liuke.science.btyd.fitting import Fit
from liuke.science.btyd.summary import BuyingSummary

TRUE = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
YOUNGEST_DAYS, OLDEST_DAYS = 189, 273  # twelve weeks of new members, watched for 39 weeks, as CDNOW

LIFETIMES = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
from lifetimes import BetaGeoFitter
x, t_x, age = np.load(sys.argv[1])
began = time.perf_counter()
fit = BetaGeoFitter().fit(x, t_x, age)
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "params": dict(fit.params_)}))
"""


def simulated(members: int, seed: int) -> BuyingSummary:
    """Members who buy at rates of their own until they leave after a purchase; purchases of one day are one."""
    chance = np.random.default_rng(seed)
    per_day = chance.gamma(TRUE["r"], 1 / TRUE["alpha"], members) / 7
    leaves = chance.beta(TRUE["a"], TRUE["b"], members)
    age = chance.integers(YOUNGEST_DAYS, OLDEST_DAYS + 1, members)
    count, last = np.zeros(members, dtype=np.int64), np.zeros(members)
    who, moment = np.arange(members), np.zeros(members)
    while len(who):
        moment += chance.exponential(1, len(who)) / np.maximum(per_day[who], 1e-12)
        seen = moment < age[who]
        who, moment = who[seen], moment[seen]
        day = np.ceil(moment)
        count[who] += day > last[who]
        last[who] = day
        stays = chance.random(len(who)) >= leaves[who]
        who, moment = who[stays], moment[stays]
    money = np.full(members, np.nan)
    return BuyingSummary(np.arange(members), count, last / 7, age / 7, money)


def lifetimes(python: str, summary: BuyingSummary) -> dict[str, Any]:
    """The same members through `lifetimes`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "members.npy"
        np.save(file, np.stack((summary.frequency, summary.recency, summary.age)))
        done = subprocess.run(
            [python, "-c", LIFETIMES, str(file)], capture_output=True, text=True, check=True
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def textbook(summary: BuyingSummary) -> dict[str, Any]:
    """Equation 6 of the paper as it is printed, a row a member."""
    x, t_x, age = summary.frequency.astype(float), summary.recency, summary.age
    again = x > 0

    def cost(logs: np.ndarray) -> float:
        r, alpha, a, b = np.exp(logs)
        alive = betaln(a, b + x) - (r + x) * np.log(alpha + age)
        left = betaln(a + 1, b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
        either = np.where(again, np.logaddexp(alive, left), alive)
        rest = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        return -float((either + rest).mean())

    began = time.perf_counter()
    found = minimize(cost, np.log([0.5, age.mean() / 4, 0.8, 2.0]), method="L-BFGS-B")
    params = dict(zip(TRUE, np.exp(found.x).tolist(), strict=True))
    return {"seconds": time.perf_counter() - began, "params": params}


def best_of(times: int, work: Callable[[], Fit]) -> tuple[float, Fit]:
    """The shortest of several runs: the neighbours' work is not ours."""
    shortest, fit = float("inf"), None
    for _ in range(times):
        began = time.perf_counter()
        fit = work()
        shortest = min(shortest, time.perf_counter() - began)
    assert fit is not None
    return shortest, fit


def run(*, full: bool, seed: int = 5) -> dict[str, Any]:
    """All of it; half a minute when full."""
    summary = simulated(1_000_000 if full else 20_000, seed)
    seconds, fit = best_of(3, lambda: bgnbd.fit(summary))
    others = {"mbgnbd": mbgnbd.fit, "paretonbd": paretonbd.fit}
    python = os.environ.get("LIFETIMES_PYTHON")
    yardstick = lifetimes(python, summary) if python else textbook(summary)
    off = [abs(fit.params[name] - value) for name, value in yardstick["params"].items()]
    return {
        "members": fit.members,
        "cells": len(compress(summary).count),
        "seconds": round(seconds, 3),
        **{
            f"{name}_seconds": round(best_of(1, lambda fit=work: fit(summary))[0], 3)
            for name, work in others.items()
        },
        "yardstick": "lifetimes" if python else "textbook",
        "yardstick_seconds": round(yardstick["seconds"], 3),
        "ratio_to_yardstick": round(yardstick["seconds"] / seconds, 1),
        "farthest_from_yardstick": round(max(off), 4),
        "params": {name: round(value, 4) for name, value in fit.params.items()},
        "standard_errors": {name: round(value, 4) for name, value in fit.standard_errors.items()},
        "true": TRUE,
        "converged": fit.converged,
        "seed": seed,
    }


if __name__ == "__main__":
    print(json.dumps(run(full="--full" in sys.argv), indent=2))
