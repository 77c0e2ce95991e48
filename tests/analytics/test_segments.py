"""A filter means the same everywhere: in a list, under a name, and counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuke.analytics import queries
from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.segment_members import refresh_source
from liuke.analytics.actions.segments import rename_segment, retire_segment, save_segment
from liuke.analytics.errors import (
    BadFilter,
    BadSegmentName,
    SegmentNameTaken,
    UnknownSegment,
)
from liuke.analytics.models import Forecast, RfmGroup, Segment, Source, Standing
from liuke.analytics.queries import lists
from liuke.analytics.rules import STAGES
from liuke.base import clock
from liuke.people.models import Login, Member, StaffAct
from tests.analytics import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

GROUPS = (
    "loyal", "value", "slipping", "low_value_new", "at_risk", "silent", "growing", "fresh",
)  # fmt: skip
LEAVING_EVERY = 5


@pytest.fixture
def log(tmp_path: Path) -> Source:
    """The CDNOW sample as it was: 2,357 members in every stage; by a forecast of our own every fifth is leaving."""
    source = make.cdnow(tmp_path, as_in_demo=False)
    Forecast.objects.bulk_create(
        Forecast(
            member_id=pk,
            source=source,
            no_order=0.5,
            is_leaving=pk % LEAVING_EVERY == 0,
            reasons=[],
        )
        for pk in Standing.objects.filter(source=source).values_list("pk", flat=True)
    )
    return source


@pytest.fixture
def few(tmp_path: Path) -> Source:
    """Two members, for what is refused whoever is there."""
    done = make.orders(tmp_path, "ann,2026-03-01,5.00,A1,,1", "bob,2026-03-02,3.00,B1,,1")
    evaluate(source=done.source)
    return done.source


def own() -> QuerySet[Segment]:
    """The segments that did not come with the source."""
    return Segment.objects.filter(shipped="")


def by_hand(standing: Standing, filter: dict[str, Any]) -> bool:
    """What a filter means, said without SQL."""
    figures = {
        "days": standing.days_since_last_order,
        "orders": standing.orders,
        "total": standing.total_fen,
    }
    has = {
        "stage": STAGES[standing.stage],
        "group": standing.group_id,
        "r": standing.r,
        "f": standing.f,
        "cohort": f"{standing.first_on:%Y-%m}",
        "overdue": standing.is_overdue,
        "leaving": standing.pk % LEAVING_EVERY == 0,
    }
    asked = []
    for key, value in filter.items():
        if key in has:
            asked.append(has[key] == value)
        elif "_min" in key:
            asked.append(figures[key.split("_")[0]] >= value)
        else:
            asked.append(figures[key.split("_")[0]] <= value)
    return all(asked)


def ranges(name: str, unit: str, most: int, least: int = 0) -> st.SearchStrategy[dict[str, int]]:
    """No bound, one, or two that somebody can fit between."""
    end = st.integers(least, most)
    return st.one_of(
        st.just({}),
        st.builds(lambda low: {f"{name}_min{unit}": low}, end),
        st.builds(lambda high: {f"{name}_max{unit}": high}, end),
        st.builds(
            lambda ends: {f"{name}_min{unit}": min(ends), f"{name}_max{unit}": max(ends)},
            st.tuples(end, end),
        ),
    )


def filters() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.fixed_dictionaries(
        {},
        optional={
            "stage": st.sampled_from(STAGES),
            "group": st.sampled_from(GROUPS),
            "r": st.integers(1, 5),
            "f": st.integers(1, 5),
            "cohort": st.sampled_from(["1997-01", "1997-02", "1997-03", "1998-01"]),
            "overdue": st.just(True),
            "leaving": st.just(True),
        },
    )
    return st.builds(
        lambda *parts: {key: value for part in parts for key, value in part.items()},
        plain,
        ranges("days", "", 600),
        ranges("orders", "", 20),
        ranges("total", "_fen", 40_000, -500),
    )


def test_a_filter_finds_exactly_those_whom_a_plain_look_at_everyone_finds(log: Source) -> None:
    assert set(GROUPS) <= set(RfmGroup.objects.values_list("key", flat=True))
    everyone = list(Standing.objects.filter(source=log))

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(filters())
    def same(filter: dict[str, Any]) -> None:
        found = set(queries.audience(log, filter).values_list("pk", flat=True))
        assert found == {one.pk for one in everyone if by_hand(one, filter)}

    same()


def test_the_keys_of_a_list_may_be_saved_except_for_looking_around() -> None:
    assert set(queries.AUDIENCE_KEYS) == {
        "stage", "group", "r", "f", "cohort", "overdue", "leaving", "within",
        "days_min", "days_max", "orders_min", "orders_max", "total_min_fen", "total_max_fen",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("filter", "says"),
    [
        ({"search": "a"}, "search = a"),
        ({"sort": "money"}, "sort = money"),
        ({"age": 3}, "age = 3"),
        ({"stage": "asleep"}, "stage = asleep"),
        ({"stage": ["new"]}, "stage = "),
        ({"group": "nobody"}, "group = nobody"),
        ({"group": 7}, "group = 7"),
        ({"r": 6}, "r = 6"),
        ({"r": True}, "r = True"),
        ({"f": "5"}, "f = 5"),
        ({"cohort": "1997-13"}, "cohort = 1997-13"),
        ({"cohort": "1997-1"}, "cohort = 1997-1"),
        ({"overdue": 1}, "overdue = 1"),
        ({"days_min": -1}, "days_min = -1"),
        ({"orders_max": 1.5}, "orders_max = 1.5"),
        ({"total_max_fen": 10**18}, "total_max_fen = "),
        ({"days_min": 31, "days_max": 30}, "days_min, days_max = 31, 30"),
    ],
)
def test_a_filter_that_is_none_is_refused_and_nothing_kept(
    filter: dict[str, Any], says: str, few: Source, operator: Login
) -> None:
    with pytest.raises(BadFilter) as refused:
        queries.audience(few, filter)
    assert says in str(refused.value)
    with pytest.raises(BadFilter):
        save_segment(source=few, name="x", filter=filter, by=operator)
    assert not own().exists()
    assert not StaffAct.objects.filter(verb="segment.save").exists()


def test_what_narrows_nothing_is_not_kept(log: Source) -> None:
    given = {"overdue": False, "stage": None, "group": "", "total_max_fen": 0, "days_min": 0}
    assert queries.checked_filter(given) == {"days_min": 0, "total_max_fen": 0}
    assert queries.audience(log, {}).count() == 2357


def test_a_segment_is_a_name_for_whoever_fits_now(
    log: Source, operator: Login, tmp_path: Path
) -> None:
    Segment.objects.update(retired_at=clock.now())
    silent = save_segment(
        source=log,
        name="  Silent   twice ",
        filter={"stage": "churned", "orders_min": 2},
        by=operator,
    )
    everyone = save_segment(source=log, name="Everyone", filter={}, by=None)
    nobody = save_segment(source=log, name="Nobody", filter={"days_max": 0}, by=operator)
    assert [found.name for found in queries.segments(log)] == ["Everyone", "Nobody", "Silent twice"]
    size = Standing.objects.filter(stage=3, orders__gte=2).count()
    assert size > 100
    assert queries.segment_size(silent) == size
    here = Standing.objects.filter(days_since_last_order=0).count()
    assert queries.segment_sizes(log) == {
        silent.reference: size,
        everyone.reference: 2357,
        nobody.reference: here,
    }
    assert queries.segment_named(silent.reference).filter == {"stage": "churned", "orders_min": 2}
    assert silent.rule["rule"]["and"][0] == {"fact": "stage", "is": ["churned"]}
    Standing.objects.filter(pk=queries.audience(log, silent.filter)[0].pk).update(stage=1)
    assert queries.audience(log, silent.filter).count() == size - 1
    refresh_source(log)
    assert queries.segment_size(silent) == queries.segment_sizes(log)[silent.reference] == size - 1
    act = StaffAct.objects.get(about=silent.reference)
    assert (act.by, act.verb, act.detail) == (
        operator,
        "segment.save",
        {"name": "Silent twice", "filter": {"stage": "churned", "orders_min": 2}},
    )


def test_two_segments_in_use_have_two_names(few: Source, operator: Login, tmp_path: Path) -> None:
    first = save_segment(source=few, name="Late", filter={}, by=operator)
    second = save_segment(source=few, name="Later", filter={}, by=operator)
    for taken in ("Late", " Late "):
        with pytest.raises(SegmentNameTaken, match="Late"):
            save_segment(source=few, name=taken, filter={}, by=operator)
    with pytest.raises(SegmentNameTaken):
        rename_segment(reference=second.reference, name="Late", by=operator)
    assert own().count() == 2
    assert queries.segment_named(second.reference).name == "Later"
    retire_segment(reference=first.reference, by=operator)
    retire_segment(reference=first.reference, by=operator)
    rename_segment(reference=second.reference, name="Late", by=operator)
    rename_segment(reference=second.reference, name="Late", by=operator)
    assert [found.name for found in queries.segments(few) if found.name] == ["Late"]
    assert queries.segment_named(first.reference).retired_at is not None
    assert queries.segment_sizes(few)[second.reference] == 2
    assert first.reference not in queries.segment_sizes(few)
    acts = StaffAct.objects.filter(verb__startswith="segment.").order_by("id")
    assert list(acts.values_list("verb", "about")) == [
        ("segment.save", first.reference),
        ("segment.save", second.reference),
        ("segment.retire", first.reference),
        ("segment.rename", second.reference),
    ]


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b"])
def test_a_segment_without_a_proper_name_is_refused(
    name: str, few: Source, operator: Login
) -> None:
    with pytest.raises(BadSegmentName):
        save_segment(source=few, name=name, filter={}, by=operator)
    kept = save_segment(source=few, name="ok", filter={}, by=operator)
    with pytest.raises(BadSegmentName):
        rename_segment(reference=kept.reference, name=name, by=operator)
    assert [found.name for found in own()] == ["ok"]


def test_a_segment_nobody_knows_is_not_found(few: Source) -> None:
    for act in (
        lambda: queries.segment_named("x"),
        lambda: rename_segment(reference="x", name="y", by=None),
        lambda: retire_segment(reference="x", by=None),
    ):
        with pytest.raises(UnknownSegment):
            act()


@pytest.mark.parametrize("sort", lists.SORTS)
def test_drawing_everyone_gives_each_once_in_the_order_of_the_list(
    sort: str, log: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [row.reference for row in queries.member_rows(queries.standings(log, sort=sort))]
    assert len(set(wanted)) == 2357
    for at_once in (100, 2357, 5000):
        monkeypatch.setattr(lists, "ROWS_AT_ONCE", at_once)
        assert [row.reference for row in queries.all_rows(log, sort=sort)] == wanted
    some = [row.reference for row in queries.all_rows(log, sort=sort, stage="active", f=5)]
    assert some == [
        row.reference
        for row in queries.member_rows(queries.standings(log, sort=sort, stage="active", f=5))
    ]
    assert list(queries.all_rows(log, group="nobody")) == []


def test_the_file_of_a_member_holds_everything_we_keep(tmp_path: Path) -> None:
    done = make.orders(
        tmp_path,
        "ann,2026-03-01 10:00,5.00,A1,月卡,1",
        "ann,2026-03-01 10:00,7.00,A1,点卡,2",
        "ann,2026-03-02 11:00,-5.00,A2,,1",
        "bob,2026-03-02 11:00,3.00,,,1",
    )
    before = queries.file_of(Member.objects.get(external_id="ann"))
    assert before["standing"] is None
    evaluate(source=done.source)
    told = json.loads(json.dumps(queries.file_of(Member.objects.get(external_id="ann"))))
    assert told["source"] == {"key": "main", "title": "main", "currency": "CNY"}
    assert (told["standing"]["stage"], told["standing"]["as_of"]) == ("new", "2026-03-02")
    assert told["facts"] == {
        "orders": 1, "order_days": 1, "returns": 1, "first_on": "2026-03-01",
        "last_on": "2026-03-01", "spent_fen": 1200, "returned_fen": 500,
    }  # fmt: skip
    assert [(move["stage"], move["since_on"]) for move in told["moves"]] == [("new", "2026-03-01")]
    order, back = told["purchases"]
    assert order == {
        "at": "2026-03-01T02:00:00+00:00", "on": "2026-03-01", "amount_fen": 1200, "quantity": 3,
        "order_number": "A1",
        "items": [
            {"item": "月卡", "quantity": 1, "amount_fen": 500},
            {"item": "点卡", "quantity": 2, "amount_fen": 700},
        ],
    }  # fmt: skip
    assert (back["amount_fen"], back["items"]) == (-500, [])
