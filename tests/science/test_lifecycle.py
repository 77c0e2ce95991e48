"""Life-cycle: stages, moves, flow."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.science.errors import InvalidInput
from liuke.science.lifecycle import (
    NO_STAGE,
    NOT_YET_A_MEMBER,
    LifecycleRules,
    Stage,
    StageHistory,
    flow,
    next_moves,
    order_band,
    stage_history,
    stages_on,
)
from liuke.science.order_log import NO_DAY
from tests.science.make import Log, Row, cdnow, day_of, log_of, logs, orders_on

NEW, ACTIVE, SILENT, CHURNED = Stage
RULES = LifecycleRules()
END = 330

Spell = tuple[int, int, int, int, int, int, int]


def spells_of(history: StageHistory) -> list[Spell]:
    columns = (
        history.member,
        history.stage,
        history.previous_stage,
        history.since_day,
        history.orders,
        history.last_order_day,
        history.threshold_days,
    )
    return list(zip(*(each.tolist() for each in columns), strict=True))


def moves_of(log: Log, until_day: int, rules: LifecycleRules = RULES) -> list[tuple[int, ...]]:
    """(stage, since, threshold) of a log of one member."""
    return [(s[1], s[3], s[6]) for s in spells_of(stage_history(*log.columns, rules, until_day))]


def days_of_silence(rules: LifecycleRules, came_back: bool) -> dict[int, Stage]:
    """Which stage begins after how many days without an order."""
    if not came_back:
        return {rules.silent_after_days: SILENT, rules.churned_after_days: CHURNED}
    patience = rules.silent_after_days + rules.return_grace_days
    limit = rules.churned_after_days
    return {patience: SILENT, limit if limit > patience else patience + 1: CHURNED}


def one_life(member: int, bought: Counter[int], rules: LifecycleRules, until: int) -> list[Spell]:
    spells: list[Spell] = []
    stage, last, orders, came_back = NO_STAGE, min(bought), 0, False
    for today in range(min(bought), until + 1):
        now, passed = stage, 0
        if today in bought:
            came_back = came_back or stage in (SILENT, CHURNED)
            orders, last = orders + bought[today], today
            now = NEW if orders < rules.middle_orders_min else ACTIVE
        elif today - last in days_of_silence(rules, came_back):
            passed = today - last
            now = days_of_silence(rules, came_back)[passed]
        if now != stage:
            spells.append((member, now, stage, today, orders, last, passed))
            stage = now
    return spells


def lived_through(rows: list[Row], rules: LifecycleRules, until: int) -> list[Spell]:
    """The history found by living every day of every member, as a shop would."""
    bought: dict[int, Counter[int]] = defaultdict(Counter)
    for member, day, amount in rows:
        if amount >= 0 and day <= until:
            bought[member][day] += 1
    lives = (one_life(member, bought[member], rules, until) for member in sorted(bought))
    return [spell for life in lives for spell in life]


@st.composite
def all_rules(draw: st.DrawFn) -> LifecycleRules:
    silent = draw(st.integers(1, 40))
    return LifecycleRules(
        silent_after_days=silent,
        churned_after_days=silent + draw(st.integers(1, 60)),
        return_grace_days=draw(st.integers(0, 70)),
        middle_orders_min=draw(st.integers(1, 4)),
        middle_orders_max=9,
    )


def test_one_order_is_new_then_silent_after_30_days_then_churned_after_90() -> None:
    log = orders_on(100)
    assert moves_of(log, 129) == [(NEW, 100, 0)]
    assert moves_of(log, 130) == [(NEW, 100, 0), (SILENT, 130, 30)]
    assert moves_of(log, 189)[-1] == (SILENT, 130, 30)
    assert moves_of(log, 500) == [(NEW, 100, 0), (SILENT, 130, 30), (CHURNED, 190, 90)]


def test_an_order_on_the_very_day_of_silence_keeps_the_member_active() -> None:
    assert moves_of(orders_on(100, 130), 140) == [(NEW, 100, 0), (ACTIVE, 130, 0)]
    assert moves_of(orders_on(100, 131), 140) == [
        (NEW, 100, 0),
        (SILENT, 130, 30),
        (ACTIVE, 131, 0),
    ]


def test_who_came_back_from_silence_once_is_given_a_week_of_grace() -> None:
    log = orders_on(100, 132, 164, 196)
    assert moves_of(log, 400) == [
        (NEW, 100, 0),
        (SILENT, 130, 30),
        (ACTIVE, 132, 0),  # every 32 days: without the grace, silent each month anew
        (SILENT, 233, 37),
        (CHURNED, 286, 90),
    ]


def test_churn_always_comes_after_silence_even_with_a_long_grace() -> None:
    rules = LifecycleRules(silent_after_days=30, churned_after_days=40, return_grace_days=20)
    assert moves_of(orders_on(100, 150), 400, rules)[-2:] == [
        (SILENT, 200, 50),
        (CHURNED, 201, 51),
    ]


def test_two_orders_on_the_first_day_make_an_active_member() -> None:
    assert moves_of(orders_on(100, 100), 100) == [(ACTIVE, 100, 0)]


def test_orders_within_one_stage_make_no_move_but_the_next_move_knows_them() -> None:
    history = stage_history(*orders_on(100, 110, 120, 125).columns, RULES, 400)
    assert spells_of(history)[1:3] == [
        (1, ACTIVE, NEW, 110, 2, 110, 0),
        (1, SILENT, ACTIVE, 155, 4, 125, 30),
    ]


def test_a_return_moves_nobody() -> None:
    log = log_of([(1, 100, 500), (1, 120, -500), (2, 100, -5)])
    assert moves_of(log, 140) == [(NEW, 100, 0), (SILENT, 130, 30)]


@given(logs(), all_rules(), st.integers(0, END), st.integers(0, 9))
def test_history_equals_living_through_every_day(
    log: Log, rules: LifecycleRules, until: int, seed: int
) -> None:
    expected = lived_through(log.rows, rules, until)
    assert spells_of(stage_history(*log.columns, rules, until)) == expected
    assert spells_of(stage_history(*log.shuffled(seed).columns, rules, until)) == expected


@pytest.mark.parametrize("until", ["1997-05-20", "1998-06-30"])
def test_cdnow_stages_equal_living_through_every_day(until: str) -> None:
    log = cdnow()
    expected = lived_through(log.rows, RULES, day_of(until))
    assert len(expected) > 4000
    assert spells_of(stage_history(*log.columns, RULES, day_of(until))) == expected


@given(logs(), all_rules(), st.integers(0, END))
def test_a_rebuild_up_to_a_day_is_the_full_history_cut_at_that_day(
    log: Log, rules: LifecycleRules, day: int
) -> None:
    full = spells_of(stage_history(*log.columns, rules, END))
    short = stage_history(*log.columns, rules, day)
    assert spells_of(short) == [spell for spell in full if spell[3] <= day]


@given(logs(), all_rules(), st.integers(0, END))
def test_stages_on_a_day_are_the_last_spells_of_the_log_up_to_it(
    log: Log, rules: LifecycleRules, day: int
) -> None:
    known = log_of([row for row in log.rows if row[1] <= day])
    latest = {s[0]: s for s in spells_of(stage_history(*known.columns, rules, day))}
    full = stage_history(*log.columns, rules, END)
    found = stages_on(full, day)
    every = spells_of(full)
    assert dict(zip(found.member.tolist(), found.stage.tolist(), strict=True)) == {
        member: spell[1] for member, spell in latest.items()
    }
    assert [every[at] for at in found.spell.tolist()] == list(latest.values())


@given(logs(), st.integers(0, 40))
def test_a_second_order_on_an_order_day_changes_counts_only(log: Log, pick: int) -> None:
    rules = LifecycleRules(middle_orders_min=1)
    bought = [row for row in log.rows if row[2] >= 0]
    if not bought:
        return
    twice = log_of([*log.rows, bought[pick % len(bought)]])
    before = spells_of(stage_history(*log.columns, rules, END))
    after = spells_of(stage_history(*twice.columns, rules, END))
    assert [(*s[:4], *s[5:]) for s in before] == [(*s[:4], *s[5:]) for s in after]
    extra = [new[4] - old[4] for old, new in zip(before, after, strict=True)]
    assert set(extra) <= {0, 1}
    member, day, _ = bought[pick % len(bought)]
    assert 1 in extra or day not in {s[5] for s in after if s[0] == member}


@given(logs(), all_rules(), st.integers(0, END), st.integers(0, END))
def test_flow_conserves_people(log: Log, rules: LifecycleRules, one: int, other: int) -> None:
    start, end = sorted((one, other))
    history = stage_history(*log.columns, rules, END)
    matrix = flow(history, start, end)
    opening, closing = stages_on(history, start), stages_on(history, end)
    assert matrix.shape == (5, 4)
    assert matrix[:4].sum(axis=1).tolist() == np.bincount(opening.stage, minlength=4).tolist()
    assert matrix.sum(axis=0).tolist() == np.bincount(closing.stage, minlength=4).tolist()
    assert matrix[NOT_YET_A_MEMBER].sum() == len(closing.member) - len(opening.member)


@given(logs(), all_rules(), st.integers(0, END), st.integers(0, END))
def test_flow_follows_each_member(log: Log, rules: LifecycleRules, one: int, other: int) -> None:
    start, end = sorted((one, other))
    history = stage_history(*log.columns, rules, END)
    stage_then: dict[int, int] = {}
    stage_now: dict[int, int] = {}
    for member, stage, _, since, *_ in spells_of(history):
        if since <= start:
            stage_then[member] = stage
        if since <= end:
            stage_now[member] = stage
    expected = Counter((stage_then.get(m, NOT_YET_A_MEMBER), s) for m, s in stage_now.items())
    matrix = flow(history, start, end)
    assert {(i, j): int(matrix[i, j]) for i, j in np.argwhere(matrix).tolist()} == expected


def test_no_time_passes_on_the_diagonal() -> None:
    history = stage_history(*cdnow().columns, RULES, day_of("1998-06-30"))
    day = day_of("1997-08-01")
    matrix = flow(history, day, day)
    assert matrix[:4].sum() == np.trace(matrix[:4]) == 2357
    assert not matrix[NOT_YET_A_MEMBER].any()


@given(logs(), all_rules(), st.integers(0, END))
def test_the_next_move_is_the_next_spell_if_nothing_more_happens(
    log: Log, rules: LifecycleRules, today: int
) -> None:
    known = log_of([row for row in log.rows if row[1] <= today])
    later = spells_of(stage_history(*known.columns, rules, today + 1000))
    moves = next_moves(*log.columns, rules, today)
    current = stages_on(stage_history(*known.columns, rules, today), today)
    assert moves.member.tolist() == current.member.tolist()
    assert moves.stage.tolist() == current.stage.tolist()
    for index, member in enumerate(moves.member.tolist()):
        due = [(s[1], s[3], s[4], s[5]) for s in later if s[0] == member and s[3] > today]
        found = (
            int(moves.next_stage[index]),
            int(moves.on_day[index]),
            int(moves.orders[index]),
            int(moves.last_order_day[index]),
        )
        if due:
            assert found == due[0]
            assert moves.days_until[index] == due[0][1] - today
        else:
            assert found[:2] == (NO_STAGE, NO_DAY)
            assert moves.stage[index] == CHURNED
            assert moves.days_until[index] == NO_DAY


@pytest.mark.parametrize(
    ("today", "stage", "next_stage", "on_day", "days_until"),
    [
        (100, NEW, SILENT, 130, 30),
        (129, NEW, SILENT, 130, 1),
        (130, SILENT, CHURNED, 190, 60),
        (189, SILENT, CHURNED, 190, 1),
        (190, CHURNED, NO_STAGE, NO_DAY, NO_DAY),
    ],
)
def test_the_next_move_changes_on_the_very_day_of_the_last(
    today: int, stage: int, next_stage: int, on_day: int, days_until: int
) -> None:
    moves = next_moves(*orders_on(100).columns, RULES, today)
    found = (moves.stage, moves.next_stage, moves.on_day, moves.days_until)
    assert [each.tolist() for each in found] == [[stage], [next_stage], [on_day], [days_until]]


def test_bands_of_orders() -> None:
    assert order_band([0, 1, 2, 5, 6], RULES).tolist() == [0, 0, 1, 1, 2]


def test_stage_keys_are_the_words_of_the_field() -> None:
    assert [stage.key for stage in Stage] == ["new", "active", "silent", "churned"]


def test_an_empty_log_gives_empty_results() -> None:
    history = stage_history([], [], [], RULES, 100)
    assert spells_of(history) == []
    assert stages_on(history, 50).member.shape == (0,)
    assert flow(history, 10, 50).tolist() == [[0] * 4] * 5
    assert next_moves([], [], [], RULES, 100).member.shape == (0,)
    assert order_band([], RULES).shape == (0,)


def test_a_day_the_history_does_not_know_is_refused() -> None:
    history = stage_history(*orders_on(100).columns, RULES, 120)
    with pytest.raises(InvalidInput):
        stages_on(history, 121)
    with pytest.raises(InvalidInput):
        flow(history, 110, 105)
    with pytest.raises(InvalidInput):
        flow(history, 110, 121)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidInput):
        stage_history([1, 2], [1], [1], RULES, 10)


@pytest.mark.parametrize(
    "settings",
    [
        {"silent_after_days": 0},
        {"silent_after_days": 90},
        {"churned_after_days": 40_000},
        {"return_grace_days": -1},
        {"middle_orders_min": 0},
        {"middle_orders_min": 6},
    ],
)
def test_rules_that_contradict_themselves_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        LifecycleRules(**settings)
