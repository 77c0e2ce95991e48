"""The 1/10 CDNOW sample as the papers calibrate on it: 39 weeks, to the end of 1997-09-30."""

from __future__ import annotations

from functools import cache

import numpy as np

from liuke.science.btyd.summary import BuyingSummary, buying_summary
from tests.science.make import SAMPLE, day_of


@cache
def calibration() -> BuyingSummary:
    """2,357 members by their number in the sample."""
    lines = [line.split() for line in SAMPLE.read_text().splitlines()]
    days = [day_of(f"{on[:4]}-{on[4:6]}-{on[6:]}") for _, _, on, _, _ in lines]
    return buying_summary(
        [int(line[1]) for line in lines],
        days,
        [round(float(line[4]) * 100) for line in lines],
        day_of("1997-09-30"),
    )


def some_of(summary: BuyingSummary, rows: np.ndarray) -> BuyingSummary:
    """The members at these places, any of them more than once."""
    columns = (summary.member, summary.frequency, summary.recency, summary.age)
    return BuyingSummary(*(column[rows] for column in columns), summary.repeat_money[rows])


def summary_of(x: object, t_x: object, age: object, money: object = None) -> BuyingSummary:
    """Members given by their figures."""
    frequency = np.asarray(x, dtype=np.int64)
    wide = (np.broadcast_to(np.asarray(each, dtype=float), frequency.shape) for each in (t_x, age))
    mean = np.full(len(frequency), np.nan) if money is None else np.asarray(money, dtype=float)
    return BuyingSummary(np.arange(len(frequency)), frequency, *wide, mean)
