"""Levels follow what was completed, up and down, on whichever ladder is climbed."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from liuke.events.queries import events_of
from liuke.membership import queries
from liuke.membership.actions import activate_ladder, set_levels, take_spend_back
from liuke.membership.errors import BadLadder, UnknownLadder
from liuke.membership.events import LevelChanged
from liuke.membership.models import Ladder, LevelMove, Spend
from liuke.membership.rules import LevelBounds, is_ladder, level_for, next_level
from tests.conftest import NOON
from tests.membership import make
from tests.orders.make import member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def test_a_site_starts_with_three_levels_of_which_gold_pays_95_percent() -> None:
    assert [(level.name, level.pays_percent) for level in queries.levels()] == [
        ("普通会员", 100),
        ("白银会员", 98),
        ("黄金会员", 95),
    ]
    assert [level.pays_percent for level in queries.levels("vip")] == [100, 95, 90, 85]
    assert make.broken() == {}


def test_both_money_and_orders_are_asked_for() -> None:
    who = member()
    make.spend(who, 90_000)
    assert queries.level_of(who.person_id).key == "regular"
    make.spend(who, 1)
    assert queries.level_of(who.person_id).key == "silver"
    make.spend(who, 1, 1, 1)
    assert queries.level_of(who.person_id).key == "gold"
    assert [move.level.key for move in queries.level_history(who.person_id)] == [
        "gold",
        "silver",
        "regular",
    ]
    assert make.broken() == {}


def test_a_level_change_is_published() -> None:
    who = member()
    make.spend(who, 6000, 6000)
    told = [each.fact for each in events_of(who.person_id)]
    assert told[0] == LevelChanged(who.person_id, "members", "silver", "regular")


def test_a_refund_takes_the_level_back() -> None:
    who = member()
    make.spend(who, 6000, 6000)
    take_spend_back(person_id=who.person_id, amount_fen=6000, is_whole=True, at=NOON)
    spend = queries.spend_of(who.person_id)
    assert (spend.orders, spend.spent_fen) == (1, 6000)
    assert queries.level_of(who.person_id).key == "regular"
    assert make.broken() == {}


def test_a_refund_told_before_its_order_is_refused_and_changes_nothing() -> None:
    who = member()
    with pytest.raises(IntegrityError), transaction.atomic():
        take_spend_back(person_id=who.person_id, amount_fen=1, is_whole=True, at=NOON)
    make.spend(who, 100)
    with pytest.raises(IntegrityError), transaction.atomic():
        take_spend_back(person_id=who.person_id, amount_fen=101, is_whole=False, at=NOON)
    assert queries.spend_of(who.person_id).spent_fen == 100


def test_progress_says_what_is_missing() -> None:
    who = member()
    progress = queries.progress_of(who.person_id)
    assert progress is not None
    assert (progress.level.key, progress.missing_fen, progress.missing_orders) == (
        "silver",
        10_000,
        2,
    )
    make.spend(who, 8200)
    progress = queries.progress_of(who.person_id)
    assert progress is not None
    assert (progress.missing_fen, progress.missing_orders) == (1800, 1)
    make.spend(who, *[20_000] * 5)
    assert queries.progress_of(who.person_id) is None


def test_switching_the_ladder_moves_everyone_at_once() -> None:
    first, second = member(), member()
    make.spend(first, *[20_000] * 6)
    make.spend(second, 100)
    assert activate_ladder(key="vip", by=None) == 2
    assert queries.level_of(first.person_id).key == "vip2"
    assert queries.terms_for(person_id=first.person_id, variants=[], at=NOON).pays_percent == 90
    assert activate_ladder(key="vip", by=None) == 0
    assert make.broken() == {}
    with pytest.raises(UnknownLadder):
        activate_ladder(key="none", by=None)
    assert Ladder.objects.get(is_active=True).key == "vip"


def test_an_edited_ladder_moves_whom_it_concerns() -> None:
    who = member()
    make.spend(who, 5000, 5000)
    levels = [queries.bounds(level) for level in queries.levels()]
    levels[2] = LevelBounds("gold", "黄金会员", 10_000, 2, 90)
    levels[1] = LevelBounds("silver", "白银会员", 5_000, 1, 97)
    assert set_levels(key="members", levels=levels, by=None) == 1
    assert queries.level_of(who.person_id).pays_percent == 90
    assert make.broken() == {}


@pytest.mark.parametrize(
    "levels",
    [
        [],
        [LevelBounds("regular", "A", 1, 0, 100)],
        [LevelBounds("regular", "A", 0, 0, 100)],  # silver and gold are missing
        [
            LevelBounds("regular", "A", 0, 0, 100),
            LevelBounds("silver", "B", 100, 1, 90),
            LevelBounds("gold", "C", 200, 2, 95),
        ],
        [
            LevelBounds("regular", "A", 0, 0, 100),
            LevelBounds("silver", "B", 100, 1, 90),
            LevelBounds("gold", "C", 50, 2, 90),
        ],
    ],
)
def test_what_is_no_ladder_is_refused(levels: list[LevelBounds]) -> None:
    before = [queries.bounds(level) for level in queries.levels()]
    with pytest.raises(BadLadder):
        set_levels(key="members", levels=levels, by=None)
    assert [queries.bounds(level) for level in queries.levels()] == before


def test_the_database_keeps_one_ladder_climbed_and_the_history_as_it_is() -> None:
    who = member()
    make.spend(who, 100)
    for statement in (
        "UPDATE membership_ladder SET is_active = true",
        "UPDATE membership_level_move SET spent_fen = 1",
        "DELETE FROM membership_level_move",
        "UPDATE membership_spend SET spent_fen = -1",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert LevelMove.objects.count() == Spend.objects.count() == 1


def test_the_audit_notices_a_level_that_was_set_by_hand() -> None:
    who = member()
    make.spend(who, 100)
    gold = queries.levels()[2]
    Spend.objects.update(level=gold)
    assert make.broken() == {"membership.level_follows_spend": 1}
    Spend.objects.update(level=queries.levels()[0])
    type(gold).objects.filter(pk=gold.pk).update(pays_percent=99)
    assert make.broken() == {"membership.ladders_go_up": 1}


LADDERS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5
)


@settings(deadline=None)
@given(LADDERS, st.integers(0, 30), st.integers(0, 20))
def test_progress_leads_exactly_to_the_next_level(
    steps: list[tuple[int, int, int]], spent: int, orders: int
) -> None:
    levels, fen, count, percent = [LevelBounds("0", "0", 0, 0, 100)], 0, 0, 100
    for number, (more_fen, more_orders, less) in enumerate(steps, start=1):
        fen, count, percent = fen + more_fen, count + more_orders, percent - less
        levels.append(LevelBounds(str(number), "", fen, count, percent))
    if not is_ladder(levels):
        assert any(
            (a.spent_from_fen, a.orders_from) == (b.spent_from_fen, b.orders_from)
            for a, b in pairwise(levels)
        )
        return
    progress = next_level(levels, spent, orders)
    if progress is None:
        assert level_for(levels, spent, orders) == levels[-1]
        return
    reached = level_for(levels, spent + progress.missing_fen, orders + progress.missing_orders)
    assert levels.index(reached) >= levels.index(progress.level)
    assert (progress.missing_fen, progress.missing_orders) != (0, 0)


def test_nothing_is_cheaper_for_a_guest() -> None:
    from liuke.membership.rules import NO_TERMS

    later = NOON + dt.timedelta(days=1)
    assert queries.terms_for(person_id=None, variants=[], at=later) == NO_TERMS
