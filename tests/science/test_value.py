"""The value forecast against its own models, and its interval against its own past."""

from __future__ import annotations

import math

import numpy as np
import pytest

from liuke.science.btyd import gammagamma, mbgnbd
from liuke.science.btyd.summary import buying_summary
from liuke.science.errors import NotEnoughData
from liuke.science.value import doubled_odds_gain, value_forecast, value_range


def shop(members: int = 400, days: int = 400, seed: int = 5) -> tuple[np.ndarray, ...]:
    """A steady shop: everybody orders about every 25 days from a first day of their own."""
    rng = np.random.default_rng(seed)
    member, day, amount = [], [], []
    for each in range(members):
        at = int(rng.integers(0, days // 2))
        worth = int(rng.integers(1000, 9000))
        while at < days:
            member.append(each)
            day.append(10_000 + at)
            amount.append(worth + int(rng.integers(-500, 500)))
            at += 1 + int(rng.exponential(25))
            if rng.random() < 0.05:
                break
    return np.array(member), np.array(day), np.array(amount)


def test_money_is_orders_times_what_an_order_is_worth() -> None:
    log = shop()
    found = value_forecast(*log, 10_399, 30)
    summary = buying_summary(*log, 10_399)
    at = (summary.frequency, summary.recency, summary.age)
    params = mbgnbd.fit(summary).params
    worth = gammagamma.expected_amount(
        gammagamma.fit(summary).params, summary.frequency, summary.repeat_money
    )
    orders = mbgnbd.expected_orders(params, *at, 30 / 7)
    assert found.orders == pytest.approx(orders)
    assert found.money == pytest.approx(orders * worth)
    assert found.total == pytest.approx(float((orders * worth).sum()))


def test_the_interval_is_made_of_the_errors_of_the_past() -> None:
    log = shop()
    total = value_forecast(*log, 10_369, 30).total
    found = value_range(*log, 10_369, 30, total)
    errors = [math.log(each.actual / each.forecast) for each in found.past]
    assert [each.as_of_day for each in found.past] == [10_369 - 30 * back for back in range(1, 7)]
    assert found.error == pytest.approx(math.sqrt(sum(e * e for e in errors) / 6))
    assert found.low is not None
    assert found.high is not None
    assert found.low < total < found.high
    assert found.low * found.high == pytest.approx(total * total)


def test_a_young_log_has_no_interval_and_a_tiny_one_no_forecast() -> None:
    member, day, amount = shop()
    young = day < 10_100
    log = (member[young], day[young], amount[young])
    assert value_range(*log, 10_099, 30, 5.0).low is None
    with pytest.raises(NotEnoughData):
        value_forecast([1, 1], [10, 20], [5, 5], 30, 30)


def test_twice_the_odds_add_most_in_the_middle() -> None:
    chance = np.array([0.0, 0.2, 0.5, 1.0])
    assert doubled_odds_gain(chance) == pytest.approx([0.0, 1 / 3 - 0.2, 2 / 3 - 0.5, 0.0])
