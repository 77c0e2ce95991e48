"""Every reaction runs once for every event, and a failing one troubles nobody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection, connections, transaction

from liuke.base import clock
from liuke.events import dispatcher, queries, registry
from liuke.events.actions import publish, retry_stuck
from liuke.events.dispatcher import ATTEMPTS_MAX, BACK_OFF_SECONDS, dispatch_pending
from liuke.events.facts import Recorded
from liuke.events.models import Pending, Reacted
from liuke.events.registry import BadReaction, connect, each
from tests.events.make import NOON, Listener, OrderTold, OtherTold, heard, tell

pytestmark = pytest.mark.usefixtures("effects")


def test_each_reaction_hears_every_event_in_batches_in_order() -> None:
    first, second = Listener("first"), Listener("second")
    connect(OrderTold, first, name="test.first")
    connect(OrderTold, second, name="test.second")
    ids = tell(25)
    assert dispatch_pending(10) == 25
    assert heard("first") == heard("second") == ids
    assert first.batches == [list(range(10)), list(range(10, 20)), list(range(20, 25))]
    assert queries.pending_count() == 0
    assert Reacted.objects.count() == 50


def test_an_event_already_reacted_to_is_not_reacted_to_again() -> None:
    connect(OrderTold, Listener("a"), name="test.a")
    (event,) = tell(1)
    dispatch_pending()
    Pending.objects.create(event_id=event, reactions=["test.a"])
    assert dispatch_pending() == 1
    assert heard("a") == [event]
    assert queries.pending_count() == 0


def test_a_poisoned_event_fails_alone_and_its_other_reaction_is_done() -> None:
    connect(OrderTold, Listener("bad", poison={3}), name="test.bad")
    connect(OrderTold, Listener("good"), name="test.good")
    ids = tell(6)
    dispatch_pending()
    assert heard("good") == ids
    assert heard("bad") == ids[:3] + ids[4:]
    pending = Pending.objects.get()
    assert (pending.pk, pending.reactions, pending.attempts) == (ids[3], ["test.bad"], 1)


def test_the_error_is_kept_without_the_values_of_the_row() -> None:
    connect(OrderTold, Listener("bad", poison={0}), name="test.bad")
    tell(1)
    dispatch_pending()
    assert Pending.objects.get().last_error == "test.bad: ValueError: poison"


def test_a_failure_is_tried_again_after_growing_pauses_and_then_given_up() -> None:
    bad = Listener("bad", poison={0})
    connect(OrderTold, bad, name="test.bad")
    now = NOON
    with clock.stopped_at(now):
        (event,) = tell(1)
        assert dispatch_pending() == 1
    for attempt in range(1, ATTEMPTS_MAX):
        pause = BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS)) - 1]
        with clock.stopped_at(now + dt.timedelta(seconds=pause - 0.001)):
            assert dispatch_pending() == 0
        now += dt.timedelta(seconds=pause)
        with clock.stopped_at(now):
            assert dispatch_pending() == 1
    with clock.stopped_at(now + dt.timedelta(days=365)):
        assert dispatch_pending() == 0
    (stuck,) = queries.stuck()
    assert (stuck.event, stuck.name, stuck.attempts) == (event, "test.OrderTold", ATTEMPTS_MAX)
    assert (stuck.reactions, stuck.gave_up_at) == (("test.bad",), now)
    bad.poison.clear()
    assert retry_stuck() == 1
    assert dispatch_pending() == 1
    assert (heard("bad"), queries.stuck(), queries.pending_count()) == ([event], [], 0)


def test_a_fresh_event_is_due_whatever_the_clock_says() -> None:
    connect(OrderTold, Listener("a"), name="test.a")
    with clock.stopped_at(NOON + dt.timedelta(days=400)):
        ids = tell(1)
    with clock.stopped_at(NOON):
        dispatch_pending()
    assert heard("a") == ids


def test_a_reaction_that_hides_a_broken_transaction_has_failed() -> None:
    def hides(batch: Sequence[Recorded[Any]]) -> None:
        try:
            with transaction.atomic(savepoint=False):
                raise ValueError
        except ValueError:
            pass

    connect(OrderTold, hides, name="test.hides")
    tell(2)
    dispatch_pending()
    assert set(Pending.objects.values_list("attempts", flat=True)) == {1}
    assert Reacted.objects.count() == 0


def test_a_reaction_that_breaks_the_database_transaction_troubles_no_other() -> None:
    def breaks(batch: Sequence[Recorded[Any]]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    connect(OrderTold, breaks, name="test.breaks")
    connect(OrderTold, Listener("good"), name="test.good")
    ids = tell(2)
    dispatch_pending()
    assert heard("good") == ids
    assert {p.last_error for p in Pending.objects.all()} == {
        "test.breaks: DataError: division by zero"
    }


def test_an_event_that_cannot_be_read_waits_and_the_others_go_on() -> None:
    connect(OrderTold, Listener("a"), name="test.a")
    before, unreadable, after = tell(3)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER event_is_never_changed")
        cursor.execute("UPDATE events_event SET version = 9 WHERE id = %s", [unreadable])
        cursor.execute("ALTER TABLE events_event ENABLE TRIGGER event_is_never_changed")
    dispatch_pending()
    assert heard("a") == [before, after]
    assert "UnknownFact" in Pending.objects.get().last_error


def test_a_reaction_of_another_release_waits_for_it() -> None:
    with registry.isolated():
        connect(OrderTold, Listener("newer"), name="test.newer")
        ids = tell(1)
    connect(OrderTold, Listener("a"), name="test.a")
    with clock.stopped_at(NOON):
        dispatch_pending()
    assert "NotConnected" in Pending.objects.get().last_error
    connect(OrderTold, Listener("newer"), name="test.newer")
    with clock.stopped_at(NOON + dt.timedelta(seconds=1)):
        dispatch_pending()
    assert heard("newer") == ids
    assert heard("a") == []  # it followed nothing when the event was published


def test_a_reaction_may_publish_what_it_leads_to() -> None:
    def leads_on(batch: Sequence[Recorded[OtherTold]]) -> None:
        for recorded in batch:
            publish(OrderTold(recorded.id))

    connect(OtherTold, leads_on, name="test.leads_on")
    connect(OrderTold, Listener("a"), name="test.a")
    with transaction.atomic():
        publish(OtherTold("x"))
    assert dispatch_pending() == 2
    assert len(heard("a")) == 1


def test_each_takes_one_at_a_time_and_keeps_its_name() -> None:
    seen = []

    def remember(recorded: Recorded[OrderTold]) -> None:
        seen.append((recorded.fact.order, recorded.member))

    connect(OrderTold, each(remember), name="test.remember")
    tell(2, member=5)
    dispatch_pending()
    assert seen == [(0, 5), (1, 5)]


def test_a_reaction_is_named_after_its_room_and_function() -> None:
    connect(OrderTold, registry.find, name=None)  # type: ignore[arg-type]
    assert [reaction.name for reaction in registry.reactions()] == ["events.find"]


def test_one_reaction_may_follow_two_facts() -> None:
    seen: list[Any] = []
    for told in (OrderTold, OtherTold):
        connect(told, seen.extend, name="test.seen")  # type: ignore[arg-type]
    assert registry.find("test.seen").facts == ("test.OrderTold", "test.OtherTold")  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["lonely", "Test.a", "test.a b", "", "test." + "a" * 120])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadReaction):
        connect(OrderTold, lambda batch: None, name=name)


def test_a_name_taken_by_another_reaction_is_refused() -> None:
    listener = Listener("a")
    connect(OrderTold, listener, name="test.a")
    with pytest.raises(BadReaction, match="another"):
        connect(OtherTold, Listener("b"), name="test.a")
    with pytest.raises(BadReaction, match="already follows"):
        connect(OrderTold, listener, name="test.a")


def test_a_lost_database_is_no_failure_of_a_reaction(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        closed = True

    with monkeypatch.context() as lost:
        lost.setattr(connections["default"], "connection", Closed())
        with pytest.raises(ConnectionError):
            dispatcher._raise_when_database_is_lost(ConnectionError())
