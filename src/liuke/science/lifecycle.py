"""Life-cycle stages: new, active, silent, churned, and every move between them.

A state machine per member over the distinct days with an order, d1 < d2 < ...; n_k counts all
orders up to and including d_k.

* On an order day the stage is NEW if ``n_k < middle_orders_min``, else ACTIVE.
* Without a further order it becomes SILENT on ``d_k + S`` and CHURNED on ``d_k + C``, each only if
  that day comes before the next order day.
* ``S = silent_after_days``, ``C = churned_after_days``, until a member has once come back from
  silence (an earlier gap longer than ``silent_after_days``). From then on
  ``S = silent_after_days + return_grace_days``, and ``C = max(C, S + 1)``: the two thresholds of a
  Schmitt trigger, so that someone who buys every 32 days does not flap every month.

The moves are a function of the log alone: a rebuild from scratch and any history of updates agree,
and the history up to a day is the full history cut at that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.errors import InvalidInput
from liuke.science.order_log import (
    NO_DAY,
    Bools,
    Indexes,
    Int8s,
    Int32s,
    Int64s,
    MemberDays,
    check_day,
    read_integers,
    read_member_days,
    run_starts,
)


class Stage(IntEnum):
    """Stage codes as they stand in the arrays; ``key`` is the name to store and show."""

    NEW = 0
    ACTIVE = 1
    SILENT = 2
    CHURNED = 3

    @property
    def key(self) -> str:
        """new, active, silent or churned."""
        return self.name.lower()


NO_STAGE = -1
"""The previous stage of a member's first spell."""

NOT_YET_A_MEMBER = 4
"""The row of the flow matrix for people whose first order came in between."""

_LONGEST_THRESHOLD = 36_525


@dataclass(frozen=True, slots=True)
class LifecycleRules:
    """Thresholds in days and orders. Raises InvalidInput unless
    ``1 <= silent_after_days < churned_after_days <= 36525``, ``return_grace_days`` is 0 to 36525
    and ``1 <= middle_orders_min <= middle_orders_max``.

    ``middle_orders_max`` moves nobody between stages; it closes the middle band of
    ``order_band``.
    """

    silent_after_days: int = 30
    churned_after_days: int = 90
    return_grace_days: int = 7
    middle_orders_min: int = 2
    middle_orders_max: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.silent_after_days < self.churned_after_days <= _LONGEST_THRESHOLD:
            raise InvalidInput("silent_after_days must be at least 1 and below churned_after_days")
        if not 0 <= self.return_grace_days <= _LONGEST_THRESHOLD:
            raise InvalidInput("return_grace_days must not be negative")
        if not 1 <= self.middle_orders_min <= self.middle_orders_max:
            raise InvalidInput("middle_orders_min must be at least 1 and at most middle_orders_max")


@dataclass(frozen=True, slots=True, eq=False)
class StageHistory:
    """Every move up to ``until_day``, sorted by member, then day; all arrays shape (spells,).

    ``previous_stage`` is NO_STAGE at a member's first spell. The figures that justify the move:
    ``orders`` and ``last_order_day`` as known that day, and ``threshold_days``, the S or C that
    was passed (0 when an order made the move). Two spells in a row never have the same stage.
    """

    member: Int64s
    stage: Int8s
    previous_stage: Int8s
    since_day: Int32s
    orders: Int64s
    last_order_day: Int32s
    threshold_days: Int32s
    until_day: int


@dataclass(frozen=True, slots=True, eq=False)
class StagesOn:
    """Who stood where on a day: ``member`` sorted, ``stage``, and ``spell``, the row of the
    history that says since when and why. Shape (members known that day,).
    """

    member: Int64s
    stage: Int8s
    spell: Indexes


@dataclass(frozen=True, slots=True, eq=False)
class NextMoves:
    """Where each member stands at the end of a day and when that changes if nothing happens.

    Shape (members,), sorted by member. ``next_stage`` is NO_STAGE and ``on_day`` and
    ``days_until`` are NO_DAY for the churned, whom only an order can move. ``orders`` and
    ``last_order_day`` as known that day.
    """

    member: Int64s
    stage: Int8s
    next_stage: Int8s
    on_day: Int32s
    days_until: Int32s
    orders: Int64s
    last_order_day: Int32s


@dataclass(frozen=True, slots=True, eq=False)
class _Timeline:
    """One row per order day: orders so far, S and C in force, and when the next order came."""

    member: Int64s
    day: Int32s
    orders: Int64s
    stage: Int8s
    silent_after: Int32s
    churned_after: Int32s
    before_day: Int32s
    is_last: Bools


def stage_history(
    member: ArrayLike,
    day: ArrayLike,
    amount: ArrayLike,
    rules: LifecycleRules,
    until_day: int,
) -> StageHistory:
    """Every change of stage of every member, up to and including ``until_day``.

    Three parallel arrays, shape (rows,), in any order; returns (``amount < 0``) move nobody.
    The rules are those of the module. Raises InvalidInput.
    """
    until = check_day(until_day, "until_day")
    line = _timeline(read_member_days(member, day, amount, until).with_orders(), rules, until)
    happens = np.ones((len(line.member), 3), dtype=np.bool_)
    happens[:, 1] = line.day + line.silent_after < line.before_day
    happens[:, 2] = line.day + line.churned_after < line.before_day
    row, kind = np.divmod(np.flatnonzero(happens), 3)
    stage = np.where(kind == 0, line.stage[row], kind + 1).astype(np.int8)
    passed = np.where(kind == 1, line.silent_after[row], line.churned_after[row])
    threshold = np.where(kind == 0, 0, passed).astype(np.int32)
    previous = np.full(len(row), NO_STAGE, dtype=np.int8)
    same_member = line.member[row[1:]] == line.member[row[:-1]]
    previous[1:] = np.where(same_member, stage[:-1], NO_STAGE)
    moved = stage != previous
    row, threshold = row[moved], threshold[moved]
    return StageHistory(
        member=line.member[row],
        stage=stage[moved],
        previous_stage=previous[moved],
        since_day=line.day[row] + threshold,
        orders=line.orders[row],
        last_order_day=line.day[row],
        threshold_days=threshold,
        until_day=until,
    )


def stages_on(history: StageHistory, day: int) -> StagesOn:
    """The stage of everybody who had ordered by the end of ``day``.

    Raises InvalidInput for a day after ``history.until_day``: the history does not know it.
    """
    if check_day(day, "day") > history.until_day:
        raise InvalidInput(f"the history ends on day {history.until_day}, before day {day}")
    begun = history.since_day <= day
    is_latest = begun.copy()
    same_member = history.member[1:] == history.member[:-1]
    is_latest[:-1] &= ~(same_member & begun[1:])
    spell = np.flatnonzero(is_latest)
    return StagesOn(history.member[spell], history.stage[spell], spell)


def flow(history: StageHistory, from_day: int, to_day: int) -> Int64s:
    """How many went from which stage to which between the ends of two days: shape (5, 4).

    Rows are the stage on ``from_day`` (Stage codes 0 to 3, then NOT_YET_A_MEMBER), columns the
    stage on ``to_day``. People are conserved: rows 0 to 3 add up to the opening stock, columns
    to the closing stock. Raises InvalidInput when the days are out of order or beyond the history.
    """
    if from_day > to_day:
        raise InvalidInput(f"from_day {from_day} lies after to_day {to_day}")
    opening, closing = stages_on(history, from_day), stages_on(history, to_day)
    came_from = np.full(len(closing.member), NOT_YET_A_MEMBER, dtype=np.int64)
    came_from[np.searchsorted(closing.member, opening.member)] = opening.stage
    cells = np.bincount(came_from * 4 + closing.stage, minlength=20)
    return cells.reshape(5, 4).astype(np.int64)


def next_moves(
    member: ArrayLike,
    day: ArrayLike,
    amount: ArrayLike,
    rules: LifecycleRules,
    as_of_day: int,
) -> NextMoves:
    """When each member's stage changes if nothing happens, so a sweep need not recompute all.

    The move falls due on ``on_day``, always after ``as_of_day``; ``days_until`` is the
    difference. Same input, rules and errors as ``stage_history``.
    """
    today = check_day(as_of_day, "as_of_day")
    line = _timeline(read_member_days(member, day, amount, today).with_orders(), rules, today)
    last = line.is_last
    ordered = line.day[last]
    silent_on = ordered + line.silent_after[last]
    churned_on = ordered + line.churned_after[last]
    is_churned = churned_on <= today
    is_silent = (silent_on <= today) & ~is_churned
    quiet = [is_churned, is_silent]
    on_day = np.select(quiet, [NO_DAY, churned_on], silent_on).astype(np.int32)
    return NextMoves(
        member=line.member[last],
        stage=np.select(quiet, [Stage.CHURNED, Stage.SILENT], line.stage[last]).astype(np.int8),
        next_stage=np.select(quiet, [NO_STAGE, Stage.CHURNED], Stage.SILENT).astype(np.int8),
        on_day=on_day,
        days_until=np.where(is_churned, NO_DAY, on_day - today).astype(np.int32),
        orders=line.orders[last],
        last_order_day=ordered,
    )


def order_band(orders: ArrayLike, rules: LifecycleRules) -> Int8s:
    """0 below ``middle_orders_min``, 1 within the middle band, 2 above ``middle_orders_max``."""
    counts = read_integers(orders, "orders")
    above = (counts >= rules.middle_orders_min).astype(np.int8)
    return above + (counts > rules.middle_orders_max).astype(np.int8)


def _timeline(days: MemberDays, rules: LifecycleRules, until_day: int) -> _Timeline:
    starts = run_starts(days.member)
    lengths = np.diff(starts, append=len(days.member))
    is_first = np.zeros(len(days.member), dtype=np.bool_)
    is_first[starts] = True
    is_last = np.roll(is_first, -1)
    long_gap = np.diff(days.day, prepend=days.day[:1]) > rules.silent_after_days
    came_back = _running_count((long_gap & ~is_first).astype(np.int64), starts, lengths) > 0
    orders = _running_count(days.orders, starts, lengths)
    slack = rules.silent_after_days + rules.return_grace_days
    slack_churned = max(rules.churned_after_days, slack + 1)
    is_new = orders < rules.middle_orders_min
    next_day = np.roll(days.day, -1)
    return _Timeline(
        member=days.member,
        day=days.day,
        orders=orders,
        stage=np.where(is_new, Stage.NEW, Stage.ACTIVE).astype(np.int8),
        silent_after=np.where(came_back, slack, rules.silent_after_days).astype(np.int32),
        churned_after=np.where(came_back, slack_churned, rules.churned_after_days).astype(np.int32),
        before_day=np.where(is_last, until_day + 1, next_day).astype(np.int32),
        is_last=is_last,
    )


def _running_count(values: Int64s, starts: Indexes, lengths: Indexes) -> Int64s:
    """The running sum within each member."""
    sums = np.cumsum(values)
    before = sums[starts] - values[starts]
    return sums - np.repeat(before, lengths)
