"""Order logs for the tests of this room: a real one, and small arbitrary ones."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

SAMPLE = Path(__file__).parents[1] / "samples/cdnow_sample.txt"

Row = tuple[int, int, int]


@dataclass(frozen=True)
class Log:
    member: NDArray[np.int64]
    day: NDArray[np.int64]
    amount: NDArray[np.int64]

    @property
    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        return self.member, self.day, self.amount

    @property
    def rows(self) -> list[Row]:
        columns = (each.tolist() for each in self.columns)
        return list(zip(*columns, strict=True))

    def shuffled(self, seed: int) -> Log:
        order = np.random.default_rng(seed).permutation(len(self.member))
        return Log(*(each[order] for each in self.columns))


def log_of(rows: list[Row]) -> Log:
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
    return Log(table[:, 0], table[:, 1], table[:, 2])


def orders_on(*days: int, member: int = 1) -> Log:
    return log_of([(member, day, 1000) for day in days])


def day_of(text: str) -> int:
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


def cdnow() -> Log:
    """The 1/10 CDNOW sample, with one return per 40 rows added so that returns are exercised."""
    rows: list[Row] = []
    for index, line in enumerate(SAMPLE.read_text().splitlines()):
        member, _, date, _, dollars = line.split()
        day = day_of(f"{date[:4]}-{date[4:6]}-{date[6:]}")
        cents = round(float(dollars) * 100)
        rows.append((int(member), day, cents))
        if index % 40 == 0:
            rows.append((int(member), day + 9, -(cents // 2) - 1))
    return log_of(rows)


def logs(*, most_rows: int = 40, span: int = 300) -> st.SearchStrategy[Log]:
    """Few members, days close together, returns and zero amounts among the orders."""
    row = st.tuples(
        st.integers(-3, 3), st.integers(0, span), st.sampled_from([-700, -1, 0, 1, 500, 10**6])
    )
    return st.lists(row, max_size=most_rows).map(log_of)
