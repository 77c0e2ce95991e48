"""Order logs with items for these tests: a few rows by hand, and an invented shop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Row = tuple[int, int, int]


@dataclass(frozen=True)
class Log:
    member: Ints
    day: Ints
    item: Ints

    @property
    def columns(self) -> tuple[Ints, Ints, Ints]:
        return self.member, self.day, self.item

    def shuffled(self, seed: int) -> Log:
        order = np.random.default_rng(seed).permutation(len(self.member))
        return Log(*(each[order] for each in self.columns))


def log_of(rows: list[Row]) -> Log:
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
    return Log(*table.T)


def shop(members: int = 300, items: int = 300, days: int = 240, seed: int = 1) -> Log:
    """Members with a taste for one of six themes; half of what they buy they bought before."""
    chance = np.random.default_rng(seed)
    fame = 1 / np.sqrt(np.arange(1, items + 1))
    theme = np.arange(items) % 6
    rows: list[Row] = []
    for member in range(members):
        odds = fame * np.where(theme == member % 6, 12.0, 1.0)
        odds /= odds.sum()
        had: list[int] = []
        for day in np.flatnonzero(chance.random(days) < 0.06):
            for _ in range(3):
                again = had and chance.random() < 0.5
                item = int(chance.choice(had)) if again else int(chance.choice(items, p=odds))
                had.append(item)
                rows.append((member, int(day), 1000 + item))
    return log_of(rows)
