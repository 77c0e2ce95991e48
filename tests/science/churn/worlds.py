"""Simulated shops whose truth is known: members who leave for a reason, and a shop with a Christmas peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liuke.science.churn.behaviour import Behaviour
from liuke.science.order_log import Floats, Int64s

FIRST_DAY = 18_262  # 2020-01-01
CAUSES = ("", "complaint", "login_fading", "value_falling")
LEFT = 0.02
"""What is left of the rate of orders of a member who is lost."""


@dataclass(frozen=True)
class World:
    """A log up to ``as_of`` and beyond, what else was seen, and the truth about each member."""

    log: tuple[Int64s, Int64s, Int64s]
    signals: dict[str, Behaviour]
    as_of: int
    horizon: int
    cause: Int64s  # a place in CAUSES
    begun: Int64s  # the day the cause set in
    truth: Floats  # probability of no order in the horizon, by somebody who knows the rates


def leaving_members(
    members: int = 3_000, days: int = 480, horizon: int = 60, seed: int = 5
) -> World:
    """Everyone orders at a rate of their own; four in ten are lost at some point, each to one cause.

    Someone lost logs in less too, whatever the cause; the complaints that end well cost nobody.
    """
    chance = np.random.default_rng(seed)
    cut = days - horizon - 1
    day = np.arange(days)
    rate = chance.gamma(4.0, 1 / 60.0, members)
    logins = chance.gamma(4.0, 1 / 8.0, members)
    joined = chance.integers(0, 150, members)
    cause = chance.choice(4, members, p=(0.55, 0.15, 0.15, 0.15))
    begun = np.maximum(chance.integers(100, days, members), joined + 60)
    lost = begun + np.array([days * 2, 1, 30, 60])[cause]
    is_lost = day[None, :] > lost[:, None]
    faded = (cause == 2)[:, None] & (day[None, :] > begun[:, None])
    here = day[None, :] >= joined[:, None]
    hazard = rate[:, None] * np.where(is_lost, LEFT, 1.0) * here
    orders = (chance.random(hazard.shape) < -np.expm1(-hazard)) | (day[None, :] == joined[:, None])
    member, on = np.nonzero(orders)
    falls = (cause[member] == 3) & (on > begun[member])
    amount = 5_000 * chance.lognormal(0.0, 0.3, len(on)) * np.where(falls, 0.35, 1.0)
    often = logins[:, None] * np.where(is_lost, 0.4, 1.0) * np.where(faded, 0.15, 1.0) * here
    who, when = np.nonzero(chance.random(often.shape) < -np.expm1(-often))
    complained = np.flatnonzero(cause == 1)
    complained = complained[begun[complained] < days]
    others, at = np.nonzero((chance.random(here.shape) < 1 / 300) & here)
    complaint = Behaviour(
        np.concatenate([complained, others]),
        FIRST_DAY + np.concatenate([begun[complained], at]),
        np.arange(len(complained) + len(others)) >= len(complained),
    )
    known = np.where(begun <= cut, lost, days * 2)
    gone = np.clip(cut + horizon - np.maximum(known, cut), 0, horizon)
    return World(
        log=(member, FIRST_DAY + on, amount.astype(np.int64)),
        signals={"login": Behaviour(who, FIRST_DAY + when), "complaint": complaint},
        as_of=FIRST_DAY + cut,
        horizon=horizon,
        cause=np.where(begun <= cut, cause, 0),
        begun=begun,
        truth=np.exp(-rate * (horizon - gone + LEFT * gone)),
    )


def gift_shop(
    members: int = 3_000, *, peak: float, seed: int = 3
) -> tuple[tuple[Int64s, Int64s, Int64s], int]:
    """Two years of orders from 2020-01-01, and a cut on 2021-09-20; ``peak`` times as many in Q4.

    One in three was a member before the log begins. Members leave after an order with a chance of their
    own; a few orders are sent back.
    """
    chance = np.random.default_rng(seed)
    days, cut = 730, 628
    season = np.ones(days)
    for december in (334, 699):
        season += (peak - 1) * np.exp(-0.5 * ((np.arange(days) - december + 15) / 25) ** 2)
    clock = np.append(0.0, np.cumsum(season))
    rate = chance.gamma(0.9, 1 / 60, members)
    leaves = chance.beta(0.8, 5.0, members)
    joins = np.interp(chance.random(members) * clock[-1], clock, np.arange(days + 1))
    at = np.where(chance.random(members) < 0.35, -chance.uniform(0, 500, members), joins)
    tau = np.where(at < 0, at, np.interp(at, np.arange(days + 1), clock))
    rows: list[tuple[Int64s, Int64s]] = []
    here = np.ones(members, dtype=bool)
    while here.any():
        day = np.where(tau < 0, tau, np.interp(tau, clock, np.arange(days + 1)))
        seen = np.flatnonzero(here & (day >= 0) & (day < days))
        rows.append((seen, FIRST_DAY + day[seen].astype(np.int64)))
        here &= chance.random(members) >= leaves
        tau = tau + chance.exponential(1 / rate)
        here &= tau < clock[-1]
    member, on = (np.concatenate(column) for column in zip(*rows, strict=True))
    amount = chance.lognormal(8.0, 0.8, len(on)).astype(np.int64)
    back = chance.random(len(on)) < 0.02
    log = (
        np.append(member, member[back]),
        np.append(on, np.minimum(on[back] + 5, FIRST_DAY + days - 1)),
        np.append(amount, -amount[back]),
    )
    return log, FIRST_DAY + cut
