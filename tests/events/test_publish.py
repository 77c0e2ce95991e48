"""What is published is in the log if and only if its transaction is."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings

from liuke.base import audit, clock
from liuke.events import queries, registry
from liuke.events.actions import OutsideTransaction, publish, publish_many
from liuke.events.facts import BadFact, Happened
from liuke.events.models import Event, Pending
from tests.events.make import NOON, Listener, OrderTold, OtherTold, tell
from tests.events.test_facts import EverythingTold, everything


def test_publishing_outside_a_transaction_is_refused_and_writes_nothing(committed: None) -> None:
    with pytest.raises(OutsideTransaction):
        publish(OrderTold(1))
    assert Event.objects.count() == 0


def test_a_rolled_back_transaction_leaves_nothing(committed: None) -> None:
    registry.connect(OrderTold, Listener("a"), name="test.a")
    with transaction.atomic():
        publish(OrderTold(1))
        transaction.set_rollback(True)
    assert Event.objects.count() == Pending.objects.count() == 0


def test_the_day_of_an_event_is_the_day_of_the_site(db: None) -> None:
    late = dt.datetime(2026, 3, 1, 16, 30, tzinfo=dt.UTC)  # half past midnight in Shanghai
    publish(OrderTold(1), member=7, at=late)
    event = Event.objects.get()
    assert (event.member, event.happened_at) == (7, late)
    assert event.happened_on == dt.date(2026, 3, 2)


def test_the_moment_of_an_event_is_now_unless_told(db: None) -> None:
    with clock.stopped_at(NOON):
        publish(OrderTold(1))
    assert Event.objects.get().happened_at == NOON


def test_only_events_that_set_something_in_motion_are_queued(db: None) -> None:
    registry.connect(OrderTold, Listener("a"), name="test.a")
    registry.connect(OrderTold, Listener("b"), name="test.b")
    order, _ = publish_many([OrderTold(1), OtherTold("x")])
    assert list(Pending.objects.values_list("event_id", "reactions")) == [
        (order, ["test.a", "test.b"])
    ]


def test_many_events_get_ascending_ids_in_the_order_given(db: None) -> None:
    ids = tell(12_000)
    assert ids == sorted(ids)
    orders = Event.objects.order_by("id").values_list("payload__order", flat=True)
    assert list(orders) == list(range(12_000))


def test_nothing_to_publish_is_nothing_published(db: None) -> None:
    assert publish_many([]) == []


def test_one_bad_fact_refuses_the_lot(db: None) -> None:
    with pytest.raises(BadFact):
        publish_many([OrderTold(1), OrderTold("2")])  # type: ignore[arg-type]
    assert Event.objects.count() == 0


def test_a_moment_without_a_zone_is_refused(db: None) -> None:
    with pytest.raises(BadFact):
        publish(OrderTold(1), at=dt.datetime(2026, 1, 1))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(everything)
def test_what_is_published_is_read_back_from_the_database(db: None, told: EverythingTold) -> None:
    event = publish(told, member=3)
    newest = queries.events_of(3, limit=1)[0]
    assert (newest.id, newest.fact) == (event, told)


def test_the_events_of_a_member_come_newest_first_a_page_at_a_time(db: None) -> None:
    publish_many([Happened(OrderTold(n), member=n % 2) for n in range(6)])
    first = queries.events_of(1, limit=2)
    second = queries.events_of(1, limit=2, before=first[-1].id)
    assert [recorded.fact.order for recorded in first + second] == [5, 3, 1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events_event SET member = 1",
        "DELETE FROM events_event",
        "DELETE FROM events_event WHERE false",
        "TRUNCATE events_event",
    ],
)
def test_the_log_cannot_be_changed(db: None, change: str) -> None:
    publish(OrderTold(1))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_event ENABLE TRIGGER event_log_is_never_emptied")
        with pytest.raises(IntegrityError, match="only ever appended to"), transaction.atomic():
            cursor.execute(change)
    assert Event.objects.count() == 1


def test_the_promises_of_the_log_hold_and_are_broken_by_what_breaks_them(db: None) -> None:
    registry.connect(OrderTold, Listener("a"), name="test.a")
    event = publish(OrderTold(1))
    assert [f.invariant.name for f in map(audit.check, queries.invariants()) if f.violations] == []
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO events_pending (event_id, reactions) VALUES (-1, '{test.a}')")
        cursor.execute("INSERT INTO events_reacted VALUES (%s, 'test.a'), (-2, 'test.a')", [event])
    broken = {f.invariant.name for f in map(audit.check, queries.invariants()) if f.violations}
    assert broken == {
        "events.queued_events_exist",
        "events.reactions_have_events",
        "events.waiting_is_not_done",
    }
