"""What members do here: kept once, counted by day, in months that come and go, and forgotten when they say so."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.analytics import queries
from liuke.analytics.actions.behaviour import (
    forget_behaviour,
    note_behaviour,
    note_behaviours,
)
from liuke.analytics.actions.behaviour_months import (
    drop_months,
    keep_months,
    make_months,
    months,
)
from liuke.analytics.behaviour import Did, plain_text
from liuke.analytics.invariants import invariants
from liuke.analytics.models import Behaviour, BehaviourDay
from liuke.analytics.queries.behaviour import (
    behaviour_story,
    behaviour_told,
    counts_since,
    last_login_days,
)
from liuke.base import clock
from liuke.events.dispatcher import dispatch_pending
from liuke.people.actions import change_consent, enrol, erase_member
from liuke.people.models import Member
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

LATE = dt.datetime(2026, 3, 31, 23, 59, 59, tzinfo=dt.UTC)


@pytest.fixture
def ann(noon: dt.datetime) -> Member:
    enrol(source="site", names=["13800138000"])
    return Member.objects.get()


def seen(batch: str, position: int = 0, at: dt.datetime = NOON, **more: object) -> Did:
    return Did(batch, position, at, **{"kind": "view", **more})  # type: ignore[arg-type]


def refuse(person: Member, *, is_given: bool = False) -> None:
    change_consent(
        person_id=person.pk, channel="site", purpose="behaviour", is_given=is_given, basis="member"
    )


def tables() -> dict[str, int]:
    """The rows of each month, by its name; "other" for what had none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text, count(*) FROM analytics_behaviour GROUP BY 1"
        )
        return {
            name.removeprefix("analytics_behaviour_"): count for name, count in cursor.fetchall()
        }


# Once ---------------------------------------------------------------------------------------------


def test_a_batch_that_is_told_again_changes_nothing_also_over_a_months_end(ann: Member) -> None:
    make_months(since=dt.date(2026, 3, 1), until=dt.date(2026, 4, 1))
    batch = [
        seen("b", number, LATE + dt.timedelta(seconds=number), person_id=ann.pk)
        for number in range(3)
    ]
    assert note_behaviours(batch) == 3
    assert tables() == {"2026_03": 1, "2026_04": 2}
    assert note_behaviours(batch) == 0
    assert note_behaviours([*batch, seen("c", person_id=ann.pk)]) == 1
    assert note_behaviours([seen("d", visitor="v"), seen("d", visitor="v")]) == 1
    assert Behaviour.objects.count() == 5
    assert list(BehaviourDay.objects.order_by("on").values_list("on", "views")) == [
        (dt.date(2026, 3, 15), 1),
        (dt.date(2026, 4, 1), 3),  # in Shanghai it is April before it is in Greenwich
    ]


def test_many_are_kept_and_counted_as_few_are(ann: Member) -> None:
    rows = [seen("b", n, NOON + dt.timedelta(seconds=n), person_id=ann.pk) for n in range(200)]
    strangers = [seen("c", n, visitor="v", text="原神\t\\N") for n in range(100)]
    assert note_behaviours([*rows[:50], rows[0]]) == 50
    assert note_behaviours([*rows, *strangers]) == 250
    assert note_behaviours([*rows, *strangers]) == 0
    assert BehaviourDay.objects.get().views == 200
    assert set(Behaviour.objects.filter(person=None).values_list("text", flat=True)) == {"原神 \\N"}
    assert broken() == []


def test_each_kind_has_a_count_of_its_own_and_nobody_unknown_is_counted(ann: Member) -> None:
    for kind in ("view", "view", "search", "login", "add", "buy", "click", "open"):
        assert note_behaviour(person_id=ann.pk, kind=kind)
    note_behaviours([seen("x", visitor="v")])
    assert counts_since([ann.pk], clock.today()) == {
        ann.pk: {
            "views": 2, "searches": 1, "logins": 1, "adds": 1, "buys": 1, "clicks": 1, "opens": 1,
        }
    }  # fmt: skip
    assert BehaviourDay.objects.count() == 1
    assert broken() == []


@pytest.mark.parametrize(
    ("kind", "person", "visitor", "text"),
    [
        ("stare", True, "", ""),
        ("view", False, "", ""),
        ("view", True, "v", ""),
        ("login", False, "v", ""),
        ("search", False, "v", "13800138000"),
        ("search", False, "v", "me@example.com"),
    ],
)
def test_the_database_refuses_what_must_not_stand_there(
    ann: Member, kind: str, person: bool, visitor: str, text: str
) -> None:
    row = seen("b", kind=kind, person_id=ann.pk if person else None, visitor=visitor, text=text)
    with pytest.raises(IntegrityError), transaction.atomic():
        Behaviour.objects.create(**row._asdict())
    assert not Behaviour.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  原神   月卡 ", "原神 月卡"),
        ("Steam 100", "Steam 100"),
        ("call 138 0013 8000 now", "call *** now"),
        ("１３８００１３８０００", "***"),
        ("li@example.com 点券", "*** 点券"),
        ("ABCD-1234-EFGH-5678", "***"),
        ("KEY0001ABCD12345678", "***"),
        ("honkaistarrail Counter-Strike 2", "honkaistarrail Counter-Strike 2"),
        ("a\x00b\ud800c", "a b c"),
        ("长" * 99, "长" * 60),
        ("", ""),
    ],
)
def test_what_is_typed_is_kept_without_numbers_addresses_and_keys(typed: str, kept: str) -> None:
    assert plain_text(typed) == kept


# Months -------------------------------------------------------------------------------------------


def test_months_are_made_ahead_and_dropped_after_their_time(ann: Member) -> None:
    assert keep_months() == (3, 0)
    assert months() == [dt.date(2026, month, 1) for month in (3, 4, 5)]
    assert keep_months() == (0, 0)
    note_behaviours([seen("a", person_id=ann.pk)])
    with clock.stopped_at(dt.datetime(2027, 4, 30, 12, tzinfo=dt.UTC)):
        assert keep_months() == (3, 0), "thirteen whole months are kept"
        assert Behaviour.objects.count() == 1
    with clock.stopped_at(dt.datetime(2027, 5, 1, 12, tzinfo=dt.UTC)):
        assert keep_months() == (1, 1)
    assert not Behaviour.objects.exists()
    assert BehaviourDay.objects.get().views == 1, "the counts stay"
    assert broken() == []


def test_what_came_before_its_month_was_made_moves_into_it_and_is_dropped_without_one(
    ann: Member,
) -> None:
    old = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)
    note_behaviours([seen("a", person_id=ann.pk), seen("b", at=old, visitor="v")])
    assert tables() == {"other": 2}
    assert make_months(since=dt.date(2026, 3, 9), until=dt.date(2026, 3, 9)) == 1
    assert tables() == {"other": 1, "2026_03": 1}
    assert note_behaviours([seen("a", person_id=ann.pk)]) == 0
    assert drop_months(before=dt.date(2026, 3, 9)) == 0
    assert tables() == {"2026_03": 1}


# Consent ------------------------------------------------------------------------------------------


def test_whoever_says_no_leaves_no_trace_and_whoever_says_yes_again_does(ann: Member) -> None:
    assert note_behaviour(person_id=ann.pk, kind="login")
    refuse(ann)
    assert forget_behaviour(person_id=ann.pk) == 1
    assert not note_behaviour(person_id=ann.pk, kind="login")
    assert note_behaviours([seen("a", person_id=ann.pk), seen("b", visitor="v")]) == 1
    story = behaviour_story(ann.pk)
    assert (story.is_kept, story.last_login_on, story.visit_days) == (False, None, 0)
    refuse(ann, is_given=True)
    assert note_behaviour(person_id=ann.pk, kind="login")
    assert behaviour_story(ann.pk).last_login_on == clock.today()


def test_an_erased_member_leaves_nothing_and_nothing_comes_after_them(ann: Member) -> None:
    note_behaviours([seen("a", person_id=ann.pk), seen("b", visitor="v")])
    erase_member(member=ann, by=None)
    assert note_behaviours([seen("c", person_id=ann.pk)]) == 0
    dispatch_pending()
    assert list(Behaviour.objects.values_list("batch", flat=True)) == ["b"]
    assert not BehaviourDay.objects.exists()
    assert broken() == []


def test_a_members_file_holds_every_row_and_count_and_nobody_elses(ann: Member) -> None:
    enrol(source="site", names=["13900139000"])
    wang = Member.objects.exclude(pk=ann.pk).get()
    note_behaviours([seen("s", kind="search", text="原神", person_id=ann.pk)])
    note_behaviours([seen("a", product="P1", person_id=ann.pk), seen("b", person_id=wang.pk)])
    told = json.loads(json.dumps(queries.file_of(ann)))["behaviour"]
    noon = "2026-03-15T04:00:00+00:00"
    assert sorted(told["done"], key=lambda row: row["kind"]) == [
        {"at": noon, "kind": "search", "text": "原神"},
        {"at": noon, "kind": "view", "product": "P1"},
    ]
    assert told["days"] == [{"on": "2026-03-15", "views": 1, "searches": 1}]
    assert len(behaviour_told(wang.pk)["done"]) == 1


# Asking -------------------------------------------------------------------------------------------


def test_staff_see_the_last_login_the_days_of_visits_and_the_last_searches(ann: Member) -> None:
    for days, kind in ((40, "login"), (29, "view"), (8, "login"), (8, "view"), (2, "view")):
        at = NOON - dt.timedelta(days=days)
        note_behaviour(person_id=ann.pk, kind=kind, at=at)
    for hours, text in ((3, "原神"), (2, "steam"), (1, "原神")):
        at = NOON - dt.timedelta(hours=hours)
        note_behaviours([seen(f"s{hours}", 0, at, kind="search", text=text, person_id=ann.pk)])
    story = behaviour_story(ann.pk)
    assert (story.last_login_on, story.days_since_login) == (dt.date(2026, 3, 7), 8)
    assert story.visit_days == 4
    assert [search.text for search in story.searches] == ["原神", "steam"]
    assert last_login_days([ann.pk, 0]) == {ann.pk: dt.date(2026, 3, 7)}


def broken() -> list[str]:
    """The promises about behaviour that do not hold."""
    found = []
    with connection.cursor() as cursor:
        for promise in invariants():
            if ".behaviour_" in promise.name:
                cursor.execute(promise.sql)
                found += [promise.name] if cursor.fetchall() else []
    return found
