"""Where does every member stand at the end of a day? Purchases, policy and groups in; arrays out; nothing is stored.

All arithmetic is `liuke.science`; this module only puts its parts in one order of members.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuke.analytics.columns import PurchaseColumns
from liuke.analytics.models import RetentionPolicy, RfmGroup
from liuke.science.cohorts import CohortTable, cohort_retention
from liuke.science.groups import GroupRule, assign_groups
from liuke.science.lifecycle import (
    LifecycleRules,
    NextMoves,
    StageHistory,
    flow,
    next_moves,
    stage_history,
    stages_on,
)
from liuke.science.order_log import read_member_days, run_starts
from liuke.science.rfm import RfmScores, RfmValues, rfm_scores, rfm_values
from liuke.science.rhythm import Rhythm, RhythmFit, fit_rhythm, money_at_stake, overdue, own_rhythm

FLOW_DAYS = 30

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Assessment:
    """Row for row: members with at least one order, sorted by id.

    `stage`, `since_day`, `next_move_day`, `group` (index into `groups`), `is_overdue` and `at_stake` have the
    shape of `values.member`. `flow` is 5 x 4 (rows: stage then, last row "not yet a member"; columns: stage now).
    """

    as_of_day: int
    values: RfmValues
    scores: RfmScores
    groups: tuple[RfmGroup, ...]
    group: NDArray[np.int32]
    history: StageHistory
    moves: NextMoves
    since_day: NDArray[np.int32]
    flow_from_day: int
    flow: Ints
    cohorts: CohortTable
    fit: RhythmFit
    rhythm: Rhythm
    is_overdue: NDArray[np.bool_]
    at_stake: Ints
    second_order_days: Ints
    return_only_members: int


def assess(
    columns: PurchaseColumns, *, as_of_day: int, policy: RetentionPolicy, groups: list[RfmGroup]
) -> Assessment:
    """Everything the report and the standings say, as of the end of a day."""
    rules = lifecycle_rules(policy)
    rows = (columns.member, columns.day, columns.amount)
    everyone = rfm_values(*rows, as_of_day)
    values = _with_orders(everyone)
    scores = rfm_scores(values)
    history = stage_history(*rows, rules, as_of_day)
    fit = fit_rhythm(values)
    rhythm = own_rhythm(values, fit, as_of_day)
    flow_from_day = max(as_of_day - FLOW_DAYS, 0)
    return Assessment(
        as_of_day=as_of_day,
        values=values,
        scores=scores,
        groups=tuple(groups),
        group=assign_groups(values, scores, [group_rule(g) for g in groups]),
        history=history,
        moves=next_moves(*rows, rules, as_of_day),
        since_day=history.since_day[stages_on(history, as_of_day).spell],
        flow_from_day=flow_from_day,
        flow=flow(history, flow_from_day, as_of_day),
        cohorts=cohort_retention(*rows, period="month", as_of_day=as_of_day),
        fit=fit,
        rhythm=rhythm,
        is_overdue=overdue(
            values,
            rhythm,
            still_normal_max=policy.warn_normal_permille / 1000,
            min_orders=policy.warn_orders_min,
            lost_after_days=policy.warn_lost_after_days,
        ),
        at_stake=money_at_stake(values, rhythm, policy.stake_horizon_days),
        second_order_days=_second_order_days(columns, as_of_day),
        return_only_members=len(everyone.member) - len(values.member),
    )


def lifecycle_rules(policy: RetentionPolicy) -> LifecycleRules:
    """The policy row in the words of `science`."""
    return LifecycleRules(
        silent_after_days=policy.silent_after_days,
        churned_after_days=policy.churned_after_days,
        return_grace_days=policy.return_grace_days,
        middle_orders_min=policy.middle_orders_min,
        middle_orders_max=policy.middle_orders_max,
    )


def group_rule(group: RfmGroup) -> GroupRule:
    """The group row in the words of `science`."""
    return GroupRule(
        key=group.key,
        days_min=group.days_min,
        days_max=group.days_max,
        orders_min=group.orders_min,
        orders_max=group.orders_max,
        total_min=group.total_min_fen,
        total_max=group.total_max_fen,
        r_min=group.r_min,
        r_max=group.r_max,
        f_min=group.f_min,
        f_max=group.f_max,
        m_min=group.m_min,
        m_max=group.m_max,
    )


def _with_orders(values: RfmValues) -> RfmValues:
    """Leave out members of whom the log only knows returns: they have no stage, score or group."""
    kept = values.orders > 0
    return RfmValues(
        member=values.member[kept],
        days_since_last_order=values.days_since_last_order[kept],
        orders=values.orders[kept],
        order_days=values.order_days[kept],
        returns=values.returns[kept],
        total=values.total[kept],
        first_order_day=values.first_order_day[kept],
        last_order_day=values.last_order_day[kept],
    )


def _second_order_days(columns: PurchaseColumns, as_of_day: int) -> Ints:
    """Days from first to second order day, one entry for each member who came back."""
    days = read_member_days(columns.member, columns.day, columns.amount, as_of_day).with_orders()
    starts = run_starts(days.member)
    second = starts + 1
    came_back = second < np.append(starts[1:], len(days.member))
    gaps: Ints = (days.day[second[came_back]] - days.day[starts[came_back]]).astype(np.int64)
    return gaps
