"""Do the intervals hold what they promise, on simulated members whose true effect is known?

Members come back at rates of their own (gamma), spend amounts of their own (lognormal, a few of them large), and some
send things back. The yardstick is what most tools do: the usual 95 % interval, looked at every day.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuke.science.experiments import (
    Arm,
    Comparison,
    Judged,
    Stratum,
    compare,
    members_needed,
    verdict,
)
from liuke.science.intervals import Difference, Sums, rate_difference

Generator = np.random.Generator
Counts = NDArray[np.int64]
VARIETY = 0.5  # shape of the gamma: the smaller, the more members differ
ORDER_FEN, ORDER_SPREAD, MEMBER_SPREAD, SENT_BACK = 5_000, 0.7, 0.5, 0.02
WINDOW_DAYS = 30


def orders_for(rate: float) -> float:
    """Orders per member in a window when this share of members come back."""
    return VARIETY * (math.pow(1 - rate, -1 / VARIETY) - 1)


@dataclass(frozen=True)
class World:
    """How many members, which share is control, how many of them come back, and what reaching members changes."""

    members: int
    control_share: float
    base_rate: float
    more_often: float = 1.0
    dearer: float = 1.0

    @property
    def orders(self) -> float:
        """Orders per control member in a window."""
        return orders_for(self.base_rate)

    def truth(self) -> tuple[float, float, float]:
        """What reaching a member changes: the rate that comes back, orders, minor units."""
        treated = 1 - (1 + self.orders * self.more_often / VARIETY) ** -VARIETY
        worth = ORDER_FEN * math.exp((ORDER_SPREAD**2 + MEMBER_SPREAD**2) / 2)
        return (
            treated - self.base_rate,
            self.orders * (self.more_often - 1),
            self.orders * worth * (self.more_often * self.dearer - 1),
        )


def arm(world: World, chance: Generator, members: int, *, treated: bool) -> Arm:
    """What one group does in one window."""
    often, dearer = (world.more_often, world.dearer) if treated else (1.0, 1.0)
    orders = chance.poisson(chance.gamma(VARIETY, world.orders * often / VARIETY, members))
    who = np.repeat(np.arange(members), orders)
    taste = np.exp(chance.normal(0, MEMBER_SPREAD, members))
    amounts = ORDER_FEN * dearer * taste[who] * np.exp(chance.normal(0, ORDER_SPREAD, len(who)))
    sends_back = chance.random(members) < SENT_BACK
    money = np.bincount(who, amounts, members) - sends_back * ORDER_FEN * taste
    return Arm(members, int((orders > 0).sum()), sums(orders), sums(np.rint(money)))


def sums(figures: NDArray[Any]) -> Sums:
    whole = figures.astype(np.int64)
    squares = int((whole * whole).sum())
    return Sums(len(whole), int(whole.sum()), int(np.abs(whole).sum()), squares)


def experiment(world: World, chance: Generator) -> Comparison:
    """Draw the lot, watch a window, compare."""
    control = min(
        max(int(chance.binomial(world.members, world.control_share)), 1), world.members - 1
    )
    stratum = Stratum(
        world.control_share,
        arm(world, chance, world.members - control, treated=True),
        arm(world, chance, control, treated=False),
    )
    found = compare([stratum], planned=world.members)
    assert found is not None
    return found


def coverage(world: World, chance: Generator, times: int) -> dict[str, tuple[int, int]]:
    """Of how many intervals given, how many held the truth: came_back, orders, money."""
    held = {name: [0, 0] for name in ("came_back", "orders", "money")}
    for _ in range(times):
        found = experiment(world, chance)
        for name, truth in zip(held, world.truth(), strict=True):
            interval: Difference | None = getattr(found, name)
            if interval is not None:
                held[name][0] += interval.low <= truth <= interval.high
                held[name][1] += 1
    return {name: (hits, given) for name, (hits, given) in held.items()}


@dataclass(frozen=True)
class Days:
    """Treated and control, day after day: how many have been watched, how many of them came back; running totals."""

    control_share: float
    watched: tuple[Counts, Counts]
    back: tuple[Counts, Counts]

    def stratum(self, day: int) -> Stratum:
        """What is known on a day; nothing is asked of orders and money here."""
        arms = []
        for watched, back in zip(self.watched, self.back, strict=True):
            nothing = Sums(int(watched[day]), 0, 0, 0)
            arms.append(Arm(int(watched[day]), int(back[day]), nothing, nothing))
        return Stratum(self.control_share, *arms)


def daily_plan(
    a_day: int, days: int, share: float, rates: tuple[float, float], chance: Generator
) -> Days:
    """A plan that draws so many a day, on the days on which their windows end; rates of treated and control."""
    control = chance.binomial(a_day, share, days)
    arms = (a_day - control, control)
    back = [chance.binomial(arm, rate) for arm, rate in zip(arms, rates, strict=True)]
    return Days(share, (arms[0].cumsum(), control.cumsum()), (back[0].cumsum(), back[1].cumsum()))


def one_shot_plan(world: World, chance: Generator) -> Days:
    """Everybody drawn on one day; they come back on different days of the window."""
    control = int(chance.binomial(world.members, world.control_share))
    sizes = (world.members - control, control)
    treated = _back_by_day(world, chance, sizes[0], world.more_often)
    untreated = _back_by_day(world, chance, sizes[1], 1.0)
    watched = np.full(WINDOW_DAYS, sizes[0]), np.full(WINDOW_DAYS, sizes[1])
    return Days(world.control_share, watched, (treated.cumsum(), untreated.cumsum()))


def _back_by_day(world: World, chance: Generator, members: int, often: float) -> Counts:
    rates = chance.gamma(VARIETY, world.orders * often / VARIETY, members) / WINDOW_DAYS
    day = chance.exponential(1 / np.maximum(rates, 1e-12))
    return np.bincount(day[day < WINDOW_DAYS].astype(np.int64), minlength=WINDOW_DAYS)


def words(days: Days, judged: Judged) -> set[str]:
    """Every verdict of somebody who looks each day."""
    planned = members_needed(0.10, 0.05, days.control_share)
    last = len(days.back[0]) - 1
    said: set[str] = set()
    for day in range(last + 1):
        is_over = judged == "always" or day == last
        found = compare([days.stratum(day)], planned=planned) if is_over else None
        said.add(verdict(found, is_over=is_over, split_p=1.0, judged=judged, worth_seeing=0.05))
    return said


def peeks(days: Days) -> bool:
    """The yardstick: whether the usual interval leaves out zero on any day."""
    for back, watched, other_back, other in zip(
        days.back[0], days.watched[0], days.back[1], days.watched[1], strict=True
    ):
        found = rate_difference(int(back), int(watched), int(other_back), int(other))
        if found.low > 0 or found.high < 0:
            return True
    return False


def effect_seen(members: int, share: float, base_rate: float, z: float = 3.30) -> float:
    """The rate of the treated that the usual test sees 91 times in 100 (z = 1.96 + 1.34)."""
    rate = base_rate
    for _ in range(50):
        spread = rate * (1 - rate) / (1 - share) + base_rate * (1 - base_rate) / share
        rate = base_rate + z * math.sqrt(spread / members)
    return rate


def worlds(*, full: bool) -> Iterator[World]:
    sizes = (400, 1_000, 3_000, 20_000) if full else (400, 3_000)
    changes = ((1.0, 1.0), (1.3, 1.0), (0.75, 1.0), (2.0, 1.0), (1.3, 0.9))
    for size, share, rate, (often, dearer) in product(
        sizes, (0.2, 0.1), (0.05, 0.1, 0.2), changes if full else changes[:2]
    ):
        yield World(size, share, rate, often, dearer)


def covered(chance: Generator, *, full: bool) -> dict[str, Any]:
    """Coverage in percent: over all worlds together, and in the worst and the widest of them."""
    per_world: dict[str, list[tuple[int, int]]] = {}
    for world in worlds(full=full):
        times = (1_500 if world.members <= 3_000 else 600) if full else 100
        for name, counts in coverage(world, chance, times).items():
            per_world.setdefault(name, []).append(counts)
    told: dict[str, Any] = {}
    for name, found in per_world.items():
        hits, given = (sum(column) for column in zip(*found, strict=True))
        shares = [100 * some / all_ for some, all_ in found if all_ >= 50]
        told[f"{name}_covered"] = round(100 * hits / given, 2)
        told[f"{name}_lowest"], told[f"{name}_highest"] = (
            round(min(shares), 1),
            round(max(shares), 1),
        )
        told[f"{name}_worlds"] = len(shares)
    return told


def alarms(chance: Generator, *, full: bool) -> dict[str, Any]:
    """No effect at all, somebody looks every day: how often is "helped" or "harmed" ever said?"""
    once = [
        one_shot_plan(World(size, share, rate), chance)
        for size, share, rate in product((400, 2_000), (0.2, 0.1), (0.05, 0.1))
        for _ in range(1_000 if full else 25)
    ]
    always = [
        daily_plan(a_day, 335 if full else 60, share, (rate, rate), chance)
        for a_day, share, rate in product((5, 30), (0.2, 0.1), (0.05, 0.2))
        for _ in range(125 if full else 5)
    ]
    return {
        "one_shot_alarms": _percent([is_alarm(words(days, "once")) for days in once]),
        "one_shot_yardstick_alarms": _percent([peeks(days) for days in once]),
        "one_shot_times": len(once),
        "daily_alarms": _percent([is_alarm(words(days, "always")) for days in always]),
        "daily_yardstick_alarms": _percent([peeks(days) for days in always]),
        "daily_times": len(always),
    }


def is_alarm(said: set[str]) -> bool:
    return bool(said & {"helped", "harmed"})


def power(chance: Generator, *, full: bool) -> dict[str, Any]:
    """How often "helped" is said where one look at the usual interval says so 91 times in 100."""
    treated = effect_seen(2_000, 0.2, 0.10)
    real = World(2_000, 0.2, 0.10, more_often=orders_for(treated) / orders_for(0.10))
    once = [words(one_shot_plan(real, chance), "once") for _ in range(2_000 if full else 50)]
    told = {"one_shot_power": _percent(["helped" in said for said in once])}
    for times_as_many in (1.0, 1.5, 2.0):
        daily = [
            daily_plan(10, round(200 * times_as_many), 0.2, (treated, 0.10), chance)
            for _ in range(250 if full else 10)
        ]
        told[f"daily_power_{times_as_many}"] = _percent(
            ["helped" in words(days, "always") for days in daily]
        )
    return told


def _percent(happened: list[bool]) -> float:
    return round(100 * sum(happened) / len(happened), 2)


def run(*, full: bool, seed: int = 7) -> dict[str, Any]:
    """All of it; minutes when full."""
    chance = np.random.default_rng(seed)
    return {
        **covered(chance, full=full),
        **alarms(chance, full=full),
        **power(chance, full=full),
        "seed": seed,
    }


if __name__ == "__main__":
    print(json.dumps(run(full="--full" in sys.argv), indent=2))
