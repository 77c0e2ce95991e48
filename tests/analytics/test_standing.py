"""Everyone stands somewhere, for a reason that can be told, by rules the operator may change."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.analytics import queries
from liuke.analytics.actions.evaluate import draw_report, evaluate
from liuke.analytics.actions.policy import set_group, set_policy
from liuke.analytics.actions.rebuild_facts import rebuild_facts
from liuke.analytics.assessment import group_rule
from liuke.analytics.errors import (
    BadPolicy,
    NoOrdersBefore,
    NoOrdersYet,
    SourceNotChosen,
    UncoveredMembers,
    UnknownSource,
)
from liuke.analytics.models import (
    MemberFacts,
    RetentionPolicy,
    RfmGroup,
    Source,
    StageMove,
    Standing,
)
from liuke.base import clock
from liuke.people.errors import UnknownMember
from liuke.science.groups import coverage
from tests.analytics import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
TODAY = dt.date(2026, 3, 15)


def story_of(name: str) -> queries.MemberStory:
    return queries.member_story(Standing.objects.get(member__external_id=name).member.reference)


def test_a_member_moves_through_the_stages_with_dates_and_figures(tmp_path: Path) -> None:
    done = make.orders(
        tmp_path,
        "m1,2025-10-01,10,,,1",
        "m1,2025-12-15,10,,,1",  # silent 31 Oct, back after 75 days: from now on 37 days of grace
        "m1,2026-01-01,10,,,1",
        "other,2026-03-14,10,,,1",
    )
    evaluate(source=done.source)
    story = story_of("m1")
    told = [
        (
            move.previous_stage,
            move.stage,
            move.since_on.isoformat(),
            move.orders,
            move.threshold_days,
        )
        for move in reversed(story.moves)
    ]
    assert told == [
        (None, "new", "2025-10-01", 1, 0),
        ("new", "silent", "2025-10-31", 1, 30),
        ("silent", "active", "2025-12-15", 2, 0),
        ("active", "silent", "2026-02-07", 3, 37),
    ]
    assert story.row is not None
    assert (story.row.stage, story.row.next_move_on) == ("silent", dt.date(2026, 4, 1))
    assert story.purchases_total == 3
    assert [p.on.isoformat() for p in story.purchases] == ["2026-01-01", "2025-12-15", "2025-10-01"]


def test_as_of_means_the_end_of_that_day_site_local(tmp_path: Path) -> None:
    done = make.orders(tmp_path, "m1,2026-01-01 23:59:59,10,,,1", "m1,2026-01-02 00:00:00,10,,,1")
    report, _ = draw_report(source=done.source, as_of=dt.date(2026, 1, 1))
    assert report["log"]["orders"] == 1
    report, _ = draw_report(source=done.source, as_of=dt.date(2026, 1, 2))
    assert report["log"]["orders"] == 2
    with pytest.raises(NoOrdersBefore, match="2026-01-01"):
        draw_report(source=done.source, as_of=dt.date(2025, 12, 31))


@pytest.mark.parametrize(
    "lines",
    [
        ["m1,2026-03-01,10,,,1"],
        ["m1,2016-03-01,10,,,1", "m1,2026-03-01,10,,,1"],
        [f"m{n},2026-03-01,10,,,1" for n in range(40)],
        ["m1,2026-03-01,0,,,1", "m2,2026-03-01,0,,,1"],
        ["😀👨‍👩‍👧,2026-03-01,10,,,1", "Ω" * 128 + ",2026-03-02,10,,,1"],
        ["m1,2026-03-01,-5,,,1", "m2,2026-03-01,10,,,1"],
    ],
    ids=["one order", "ten-year gap", "all equal", "free", "emoji and long names", "only a return"],
)
def test_every_shape_of_log_has_a_report(tmp_path: Path, lines: list[str]) -> None:
    done = make.orders(tmp_path, *lines)
    report = evaluate(source=done.source)
    with_orders = len(
        {line.split(",")[0] for line in lines if not line.split(",")[2].startswith("-")}
    )
    assert sum(stage["members"] for stage in report["stages"].values()) == with_orders
    assert sum(group["members"] for group in report["rfm"]["groups"]) == with_orders
    assert Standing.objects.count() == with_orders
    assert queries.report_of(done.source) == report


def test_without_orders_there_is_no_report_and_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoOrdersYet, match="liuke import orders"):
        queries.source_named(None)
    done = make.orders(tmp_path, "m1,2026-03-01,-5,,,1")
    with pytest.raises(NoOrdersYet):
        draw_report(source=done.source)


def test_with_several_sources_one_must_be_named(tmp_path: Path) -> None:
    make.orders(tmp_path, "m1,2026-03-01,5,,,1", source="a")
    make.orders(tmp_path, "m1,2026-03-01,5,,,1", source="b")
    with pytest.raises(SourceNotChosen, match="a, b"):
        queries.source_named(None)
    with pytest.raises(UnknownSource, match="c"):
        queries.source_named("c")
    report, _ = draw_report(source=queries.source_named("a"))
    assert report["log"]["members"] == 1


def test_the_groups_that_ship_take_everyone_once() -> None:
    found = coverage([group_rule(group) for group in queries.groups()])
    assert (found.is_total, found.gap, found.unreachable) == (True, None, ())


def test_the_boundaries_of_a18_fall_as_the_source_says(tmp_path: Path) -> None:
    """R>=30, F=1, M<50: low-value new. R<=7, F>=5, M>=200: loyal."""
    loyal = [f"loyal,2026-03-{day:02},40,,,1" for day in (1, 2, 3, 4, 8)]
    too_late = [f"late,2026-03-{day:02},40,,,1" for day in (1, 2, 3, 4, 7)]
    too_poor = [f"poor,2026-03-{day:02},39.99,,,1" for day in (1, 2, 3, 4, 8)]
    done = make.orders(
        tmp_path,
        *loyal,
        *too_late,
        *too_poor,
        "low,2026-02-13,49.99,,,1",
        "fifty,2026-02-13,50,,,1",
        "recent,2026-02-14,49.99,,,1",
    )
    evaluate(source=done.source, as_of=TODAY)
    assert dict(Standing.objects.values_list("member__external_id", "group")) == {
        "loyal": "loyal",
        "late": "value",
        "poor": "value",
        "low": "low_value_new",
        "fifty": "at_risk",
        "recent": "fresh",
    }


def test_a_new_policy_is_a_new_version_and_moves_people(tmp_path: Path) -> None:
    done = make.orders(tmp_path, "m1,2026-03-01,10,,,1")
    evaluate(source=done.source, as_of=TODAY)
    assert Standing.objects.get().stage == 0
    first = queries.policy()
    changed = set_policy(silent_after_days=10)
    assert (changed.version > first.version, changed.churned_after_days) == (True, 90)
    assert queries.is_stale(done.source)
    evaluate(source=done.source, as_of=TODAY)
    assert Standing.objects.get().stage == 2
    assert StageMove.objects.filter(policy=changed).count() == StageMove.objects.count() == 2


@pytest.mark.parametrize(
    "thresholds",
    [{"silent_after_days": 90}, {"silent_after_days": 0}, {"middle_orders_max": 1}, {"unknown": 3}],
)
def test_thresholds_that_contradict_each_other_are_refused(thresholds: dict[str, int]) -> None:
    before = RetentionPolicy.objects.count()
    with pytest.raises(BadPolicy):
        set_policy(**thresholds)
    assert RetentionPolicy.objects.count() == before


def test_a_group_change_that_leaves_someone_out_is_refused() -> None:
    before = list(RfmGroup.objects.values())
    with pytest.raises(UncoveredMembers) as told:
        set_group(key="fresh", days_max=20)
    assert (told.value.params["days"], told.value.params["orders"]) == (21, 1)
    with pytest.raises(BadPolicy):
        set_group(key="fresh", priority=10)
    with pytest.raises(BadPolicy, match="nobody"):
        set_group(key="nobody", name="x")
    assert list(RfmGroup.objects.values()) == before
    assert set_group(key="loyal", days_max=10).days_max == 10


def test_evaluating_twice_says_the_same(tmp_path: Path) -> None:
    source = make.cdnow(tmp_path, as_in_demo=False)

    def stored() -> tuple[list[object], list[object]]:
        return (
            list(Standing.objects.order_by("member").values()),
            list(
                StageMove.objects.order_by("member", "since_on").values(
                    "member", "stage", "since_on"
                )
            ),
        )

    before = stored()
    evaluate(source=source)
    assert stored() == before


def test_drift_is_found_to_the_cent_and_repaired(tmp_path: Path) -> None:
    make.orders(tmp_path, "m1,2026-03-01,5,,,1", "m2,2026-03-01,5,,,1")
    spoiled = MemberFacts.objects.get(member__external_id="m1")
    right = MemberFacts.objects.filter(pk=spoiled.pk).values().get()
    MemberFacts.objects.filter(pk=spoiled.pk).update(spent_fen=501)
    MemberFacts.objects.exclude(pk=spoiled.pk).delete()
    found = rebuild_facts()
    assert (found.members, len(found.drifted), found.repaired) == (2, 2, False)
    assert spoiled.pk in found.drifted
    assert rebuild_facts(repair=True).repaired
    assert rebuild_facts().drifted == ()
    assert MemberFacts.objects.filter(pk=spoiled.pk).values().get() == right


def test_the_database_itself_refuses_impossible_rows(tmp_path: Path) -> None:
    make.orders(tmp_path, "m1,2026-03-01,5,,,1")
    for statement in (
        "UPDATE analytics_member_facts SET orders = -1",
        "UPDATE analytics_member_facts SET order_days = 2",
        "UPDATE analytics_member_facts SET first_on = NULL",
        "UPDATE analytics_import SET accepted = 2",
        'INSERT INTO analytics_purchase (member_id, digest, at, "on", amount_fen, quantity)'
        ' SELECT member_id, digest, at, "on", amount_fen, quantity FROM analytics_purchase',
        "UPDATE people_member SET external_id = '13800138000'",
        "UPDATE analytics_source SET currency = 'yu'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_lists_filter_sort_and_search(tmp_path: Path) -> None:
    source = make.cdnow(tmp_path, as_in_demo=False)
    everyone = queries.members(source, per_page=100)
    assert (everyone.total, everyone.pages, len(everyone.rows)) == (2357, 24, 100)
    assert [row.total_fen for row in everyone.rows] == sorted(
        (row.total_fen for row in everyone.rows), reverse=True
    )
    assert queries.members(source, page=999).page == queries.members(source).pages
    report = queries.report_of(source)
    assert report is not None
    for stage, told in report["stages"].items():
        assert queries.members(source, stage=stage).total == told["members"]
    for group in report["rfm"]["groups"]:
        assert queries.members(source, group=group["key"]).total == group["members"]
    for f, cells in enumerate(report["rfm"]["grid"], 1):
        for r, cell in enumerate(cells, 1):
            assert queries.members(source, r=r, f=f).total == cell["members"]
    for row in report["cohorts"]["rows"]:
        assert queries.members(source, cohort=row["period"]).total == row["members"]
    overdue = queries.members(source, overdue=True, sort="at_stake")
    assert overdue.total == report["warnings"]["members"]
    assert [row.reference for row in overdue.rows[:20]] == [
        row["reference"] for row in report["warnings"]["top"]
    ]
    assert [row.name for row in queries.members(source, search="00004").rows] == ["00004"]
    reference = everyone.rows[0].reference
    assert queries.members(source, search=reference.lower()).total == 1
    for nothing in ({"stage": "x"}, {"cohort": "1997-13"}, {"group": "x"}, {"search": "%"}):
        assert queries.members(source, **nothing).total == 0
    with pytest.raises(UnknownMember):
        queries.member_story("2222")


def test_a_clock_that_moves_back_hides_no_import(tmp_path: Path) -> None:
    done = make.orders(tmp_path, "m1,2026-03-01,5,,,1")
    evaluate(source=done.source)
    with clock.stopped_at(clock.now() - dt.timedelta(days=2)):
        make.orders(tmp_path, "m1,2026-03-01 08:00,6,,,1")
        assert queries.is_stale(done.source)
        evaluate(source=done.source)
        assert not queries.is_stale(done.source)
    assert Standing.objects.get().orders == 2
    assert rebuild_facts().drifted == ()


def test_a_day_later_the_standing_is_stale(tmp_path: Path) -> None:
    done = make.orders(tmp_path, "m1,2026-03-01,5,,,1")
    assert queries.is_stale(done.source)
    evaluate(source=done.source)
    assert not queries.is_stale(done.source)
    with clock.stopped_at(clock.now() + dt.timedelta(hours=1)):
        make.orders(tmp_path, "m1,2026-03-02,5,,,1")
        assert queries.is_stale(done.source)
        assert Source.objects.count() == 1
