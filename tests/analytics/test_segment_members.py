"""Who is in a segment is kept: judged anew when something of theirs changes, and when time alone may move them."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuke.analytics import queries
from liuke.analytics.actions.count_orders import count_purchases
from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.segment_members import (
    bring_up_to_date,
    refresh_changed,
    refresh_source,
    tell_changed,
)
from liuke.analytics.actions.segments import (
    change_segment,
    rename_segment,
    retire_segment,
    save_segment,
    ship_segments,
)
from liuke.analytics.errors import BadFilter, SegmentInUse
from liuke.analytics.models import (
    MemberSegments,
    Purchase,
    Segment,
    SegmentMove,
    SegmentNews,
    Source,
    Standing,
)
from liuke.analytics.segments import grammar
from liuke.analytics.segments.flat import from_flat, to_flat
from liuke.base import clock
from liuke.people.models import Member
from tests.analytics import make
from tests.analytics.test_segment_rules import ranged
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

LOG = (
    "ann,2026-03-14 10:00,5.00,,,1",
    "bob,2026-03-01 10:00,300.00,,,1",
    "cat,2026-02-10 10:00,3.00,,,1",
)


@pytest.fixture
def living(tmp_path: Path) -> Source:
    """The shop itself: ann ordered yesterday, bob two weeks ago, cat a month ago. Its day is today."""
    return evaluated(tmp_path, "site")


def evaluated(folder: Path, source: str) -> Source:
    done = make.orders(folder, *LOG, source=source)
    evaluate(source=done.source)
    return done.source


def rule(asked: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "rule": asked}


def kept(source: Source, name: str, asked: dict[str, Any]) -> Segment:
    return save_segment(source=source, name=name, filter=rule(asked), by=None)


def inside(segment: Segment) -> set[str]:
    segment.refresh_from_db()
    found = MemberSegments.objects.filter(inside__contains=[segment.pk])
    names = set(found.values_list("member__external_id", flat=True))
    assert segment.members == len(names) == queries.segment_size(segment)
    return names


def moves(segment: Segment) -> list[tuple[str, bool]]:
    found = SegmentMove.objects.filter(segment=segment).order_by("id")
    return list(found.values_list("member__external_id", "is_entry"))


def later(days: int, hour: int = 0) -> dt.datetime:
    """So many days after the noon of the tests; the day begins at 16:00 UTC the day before."""
    return NOON + dt.timedelta(days=days, hours=hour)


def buys(name: str, at: dt.datetime, amount_fen: int = 100) -> None:
    made = Purchase.objects.create(
        member=Member.objects.get(external_id=name), digest=at.timestamp(), at=at,
        on=clock.local_date(at), amount_fen=amount_fen, quantity=1,
    )  # fmt: skip
    count_purchases(purchase_ids=[made.pk])


def test_time_alone_lets_members_in_and_out_on_their_day(living: Source) -> None:
    quiet = kept(living, "quiet", {"fact": "days_without_order", "min": 16, "max": 40})
    recent = kept(living, "recent", {"fact": "orders_within", "days": 15, "min": 1})
    assert (inside(quiet), inside(recent)) == ({"cat"}, {"ann", "bob"})
    assert not SegmentMove.objects.exists()
    bob = MemberSegments.objects.get(member__external_id="bob")
    assert (bob.inside[-1:], bob.since_on[-1:]) == ([recent.pk], [clock.today()])
    assert bob.next_on == clock.today() + dt.timedelta(days=1)  # out of the 15 days, before quiet
    with clock.stopped_at(later(2, -13)):
        assert refresh_changed() == 1  # bob's order leaves the window of 15 days a day earlier
        assert (inside(quiet), inside(recent)) == ({"cat"}, {"ann"})
        assert refresh_changed() == 0
    with clock.stopped_at(later(2, -12)):
        assert refresh_changed() == 1
        assert inside(quiet) == {"bob", "cat"}
    with clock.stopped_at(later(8)):
        refresh_changed()
        assert inside(quiet) == {"bob"}
    assert moves(quiet) == [("bob", True), ("cat", False)]
    assert moves(recent) == [("bob", False)]
    with clock.stopped_at(later(8)):
        growth = queries.segment_growth(living)[quiet.pk]
    assert (growth.entered_7, growth.left_7) == (1, 1)
    with clock.stopped_at(later(33)):
        growth = queries.segment_growth(living)[quiet.pk]
    assert (growth.left_7, growth.entered_30, growth.left_30) == (0, 0, 1)


def test_an_order_touches_only_the_segments_that_read_orders(living: Source) -> None:
    standing = kept(living, "standing", {"fact": "days", "min": 10})
    buys("cat", NOON)
    assert not SegmentNews.objects.exists()
    quiet = kept(living, "quiet", {"fact": "days_without_order", "min": 10})
    paid = kept(living, "paid", {"fact": "paid_within_fen", "days": 90, "min": 20_000})
    assert (inside(standing), inside(quiet), inside(paid)) == ({"bob", "cat"}, {"bob"}, {"bob"})
    buys("bob", later(0, 1), 100)
    buys("ann", later(0, 1), 50_000)
    assert SegmentNews.objects.count() == 2
    assert inside(quiet) == {"bob"}
    assert refresh_changed() == 2
    assert (inside(standing), inside(quiet), inside(paid)) == (
        {"bob", "cat"},
        set(),
        {"ann", "bob"},
    )
    assert not SegmentNews.objects.exists()
    assert (moves(quiet), moves(paid)) == ([("bob", False)], [("ann", True)])
    tell_changed(member_ids=[Member.objects.get(external_id="ann").pk], changed="logins")
    assert not SegmentNews.objects.exists()


TIMED = st.recursive(
    st.one_of(
        ranged("orders_within", 0, 2, days=st.sampled_from([1, 7, 30])),
        ranged("paid_within_fen", 0, 900, days=st.sampled_from([7, 30])),
        ranged("days_without_order", 0, 40),
        ranged("orders_ever", 0, 4),
    ),
    lambda part: st.one_of(
        st.builds(lambda parts: {"and": parts}, st.lists(part, max_size=3)),
        st.builds(lambda parts: {"or": parts}, st.lists(part, min_size=1, max_size=3)),
        st.builds(lambda one: {"not": one}, part),
    ),
    max_leaves=4,
)
# Days that pass, and who then buys.
STEPS = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["", "ann", "bob", "cat"])), max_size=8
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(TIMED, min_size=1, max_size=4), STEPS)
def test_what_is_kept_is_what_the_rules_say_day_after_day(
    living: Source, rules: list[dict[str, Any]], steps: list[tuple[int, str]]
) -> None:
    with transaction.atomic():
        segments = [kept(living, str(number), each) for number, each in enumerate(rules)]
        named = {"fact": "segment", "is": segments[0].reference}
        segments.append(kept(living, "named", {"not": named}))
        began, passed = clock.today(), 0
        for number, (days, buyer) in enumerate(steps):
            passed += days
            with clock.stopped_at(later(passed, 0) + dt.timedelta(minutes=number)):
                if buyer:
                    buys(buyer, clock.now())
                assert refresh_changed() <= 6
                assert refresh_changed() == 0
                for segment in segments:
                    told = queries.audience(living, segment.rule)
                    names = {row.member.external_id for row in told}
                    assert inside(segment) == names
                    assert queries.audience_size(living, segment.rule) == len(names)
        for row in MemberSegments.objects.all():
            assert row.inside == sorted(set(row.inside))
            for segment_id, since_on in zip(row.inside, row.since_on, strict=True):
                entered = SegmentMove.objects.filter(
                    segment=segment_id, member=row.pk, is_entry=True
                )
                last = entered.order_by("id").last()
                assert since_on == (clock.local_date(last.at) if last else began)
        transaction.set_rollback(True)


def test_a_segment_s_list_counts_its_members_and_none_of_another_source(
    living: Source, tmp_path: Path
) -> None:
    quiet = kept(living, "quiet", {"fact": "days_without_order", "min": 10})
    other = evaluated(tmp_path, "main")
    page = queries.members(living, within=quiet.reference)
    assert (page.total, len(page.rows)) == (2, 2)
    page = queries.members(other, within=quiet.reference)
    assert (page.total, page.rows) == (0, [])


def test_whom_no_rule_waits_for_any_more_is_not_looked_at_again(living: Source) -> None:
    quiet = kept(living, "quiet", {"fact": "days_without_order", "min": 16})
    retire_segment(reference=quiet.reference, by=None)
    assert MemberSegments.objects.exclude(next_on=None).exists()
    with clock.stopped_at(later(40)):
        assert refresh_changed() == 2  # cat was in for good
        assert refresh_changed() == 0
    assert not MemberSegments.objects.exclude(next_on=None).exists()


def test_a_segment_follows_those_it_names(living: Source) -> None:
    quiet = kept(living, "quiet", {"fact": "days_without_order", "min": 10})
    lively = kept(living, "lively", {"not": {"fact": "segment", "is": quiet.reference}})
    both = kept(
        living,
        "both",
        {"or": [{"fact": "segment", "is": each.reference} for each in (quiet, lively)]},
    )
    assert (inside(quiet), inside(lively)) == ({"bob", "cat"}, {"ann"})
    buys("cat", NOON)
    refresh_changed()
    assert (inside(quiet), inside(lively)) == ({"bob"}, {"ann", "cat"})
    change_segment(reference=quiet.reference, filter={"orders_max": 1, "days_min": 13}, by=None)
    assert (inside(quiet), inside(lively)) == ({"bob", "cat"}, {"ann"})
    assert inside(both) == {"ann", "bob", "cat"}
    assert moves(both) == []


def test_a_segment_never_depends_on_itself(living: Source) -> None:
    first = kept(living, "first", {"fact": "overdue"})
    second = kept(living, "second", {"not": {"fact": "segment", "is": first.reference}})
    for circle in (first, second):
        with pytest.raises(BadFilter):
            change_segment(
                reference=first.reference,
                filter=rule({"fact": "segment", "is": circle.reference}),
                by=None,
            )
    with pytest.raises(SegmentInUse, match="second"):
        retire_segment(reference=first.reference, by=None)
    retire_segment(reference=second.reference, by=None)
    retire_segment(reference=first.reference, by=None)
    for gone in (first, second):
        assert not MemberSegments.objects.filter(inside__contains=[gone.pk]).exists()
    for name in (first.reference, "NOBODY"):
        with pytest.raises(BadFilter):
            kept(living, "third", {"fact": "segment", "is": name})


def test_another_rule_starts_the_counting_anew(living: Source) -> None:
    quiet = kept(living, "quiet", {"fact": "days_without_order", "min": 16})
    with clock.stopped_at(later(3)):
        refresh_changed()
        assert moves(quiet) == [("bob", True)]
        change_segment(reference=quiet.reference, filter={"days_max": 20}, by=None, action="call")
        assert (inside(quiet), moves(quiet)) == ({"ann", "bob"}, [])
        assert (quiet.filter, quiet.action, quiet.filled_at) == ({"days_max": 20}, "call", later(3))
        change_segment(reference=quiet.reference, filter={"days_max": 20}, by=None)
        with pytest.raises(BadFilter, match="action = shout"):
            change_segment(reference=quiet.reference, filter={}, by=None, action="shout")


def test_a_log_that_has_ended_stands_still(tmp_path: Path) -> None:
    log = evaluated(tmp_path, "main")
    quiet = kept(log, "quiet", {"fact": "days_without_order", "min": 13})
    assert inside(quiet) == {"bob", "cat"}  # counted from the last order of the log
    assert not MemberSegments.objects.exclude(next_on=None).exists()
    with clock.stopped_at(later(100)):
        assert refresh_changed() == 0
        refresh_source(log)
    assert inside(quiet) == {"bob", "cat"}


def test_an_evaluation_judges_everyone(living: Source) -> None:
    recent = kept(living, "recent", {"fact": "days", "max": 5})
    assert inside(recent) == {"ann"}
    buys("cat", later(0, 1))
    evaluate(source=living)
    assert inside(recent) == {"ann", "cat"}
    assert moves(recent) == [("cat", True)]
    Standing.objects.filter(member__external_id="ann").delete()
    refresh_source(living)
    assert inside(recent) == {"cat"}


def test_an_audience_is_that_of_this_moment(living: Source) -> None:
    quiet = kept(living, "quiet", {"fact": "days_without_order", "min": 10})
    audience = {"orders_max": 1, "within": quiet.reference}
    assert queries.audience(living, audience).count() == 2
    buys("cat", NOON)
    assert queries.audience(living, audience).count() == 2
    bring_up_to_date(living, audience)
    assert queries.audience(living, audience).count() == 1
    asked = rule({"not": {"fact": "orders_within", "days": 10, "min": 1}})
    for for_some in (False, True):
        found = queries.audience(living, asked, for_some=for_some)
        assert [row.member.external_id for row in found] == ["bob"]
    retire_segment(reference=quiet.reference, by=None)
    assert queries.audience(living, audience).count() == 0
    bring_up_to_date(living, audience)
    assert queries.audience(living, audience).count() == 1
    assert refresh_changed() == 0
    bring_up_to_date(living, {"orders_max": 1})
    with pytest.raises(BadFilter, match="segment = NOBODY"):
        queries.audience(living, {"within": "NOBODY"})


def test_why_somebody_is_in(living: Source, tmp_path: Path) -> None:
    parts = [{"fact": "days_without_order", "min": 10}, {"fact": "orders", "min": 2}]
    segment = kept(living, "either", {"or": parts})
    ann, bob = (Member.objects.get(external_id=name) for name in ("ann", "bob"))
    told = queries.why_in(segment, bob)
    assert told is not None
    assert (told.holds, [part.holds for part in told.parts]) == (True, [True, False])
    told = queries.why_in(segment, ann)
    assert told is not None
    assert (told.holds, [part.holds for part in told.parts]) == (False, [False, False])
    other = evaluated(tmp_path, "main")
    stranger = Member.objects.get(external_id="ann", source=other.key)
    assert queries.why_in(segment, stranger) is None
    assert [found.name for found, _ in queries.segments_of(bob) if found.name] == ["either"]


def test_a_source_comes_with_the_segments_of_the_shipped_groups(tmp_path: Path) -> None:
    log = make.cdnow(tmp_path)
    shipped = {segment.shipped: segment for segment in queries.segments(log)}
    assert len(shipped) == 8
    for key, segment in shipped.items():
        found = MemberSegments.objects.filter(inside__contains=[segment.pk])
        groups = Standing.objects.filter(source=log, group_id=key)
        assert set(found.values_list("member_id", flat=True)) == set(
            groups.values_list("pk", flat=True)
        )
        assert segment.action
    rename_segment(reference=shipped["loyal"].reference, name="VIP", by=None)
    for key in ("silent", "fresh"):
        retire_segment(reference=shipped[key].reference, by=None)
    ship_segments(log)
    assert len(queries.segments(log)) == 6


@pytest.mark.parametrize(
    "flat",
    [
        {},
        {"stage": "silent", "group": "at_risk", "r": 4, "f": 1, "cohort": "2026-03"},
        {"overdue": True, "days_min": 30, "orders_max": 0},
        {"total_min_fen": -5, "total_max_fen": 4999, "orders_min": 1, "orders_max": 3},
    ],
)
def test_a_flat_filter_of_before_is_migrated_to_the_same_rule(
    flat: dict[str, Any], living: Source
) -> None:
    migration = import_module("liuke.analytics.migrations.0007_segment_members")
    segment = kept(living, "old", {"and": []})
    Segment.objects.filter(pk=segment.pk).update(rule=flat)
    with connection.cursor() as cursor:
        cursor.execute(migration.RULES)
    segment.refresh_from_db()
    node = grammar.read(segment.rule)
    assert to_flat(node) == flat
    assert (
        sorted(map(repr, grammar.walk(node)))[1:]
        == sorted(map(repr, grammar.walk(from_flat(flat))))[1:]
    )


def test_rows_of_before_a_row_a_member_come_along(living: Source) -> None:
    kept(living, "quiet", {"fact": "days_without_order", "min": 16})
    kept(living, "recent", {"fact": "orders_within", "days": 15, "min": 1})
    before = list(MemberSegments.objects.order_by("pk").values_list())
    assert len(before) == 3
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE analytics_segment_member ON COMMIT DROP AS"
            " SELECT member_id, id AS segment_id, (day + time '12:00') AT TIME ZONE 'Asia/Shanghai' AS since,"
            " next_on::timestamp AT TIME ZONE 'Asia/Shanghai' AS next_eval_at"
            " FROM analytics_member_segments, unnest(inside, since_on) AS each_one (id, day)"
        )
        cursor.execute("DELETE FROM analytics_member_segments")
        cursor.execute(import_module("liuke.analytics.migrations.0010_member_segments").MOVE)
    assert list(MemberSegments.objects.order_by("pk").values_list()) == before
