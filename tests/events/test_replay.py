"""A projection can be rebuilt from the log; an effect on the world cannot be done again."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction

from liuke.events import queries
from liuke.events.actions import publish_many, replay
from liuke.events.dispatcher import dispatch_pending
from liuke.events.errors import NotReplayable, UnknownReaction
from liuke.events.facts import Happened
from liuke.events.registry import connect
from tests.events.make import NOON, Listener, OrderTold, heard, tell

pytestmark = pytest.mark.usefixtures("effects")


def empty(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM test_heard WHERE name = %s", [name])


def test_a_replayed_projection_is_the_same_and_no_other_reaction_runs() -> None:
    connect(OrderTold, Listener("projection"), name="test.projection", replayable=True)
    connect(OrderTold, Listener("message"), name="test.message")
    ids = tell(5)
    dispatch_pending()
    with transaction.atomic():
        assert replay("test.projection") == 5
        empty("projection")
    dispatch_pending()
    assert heard("projection") == heard("message") == ids


def test_a_projection_connected_later_catches_up_and_no_other_reaction_runs() -> None:
    ids = tell(3)
    connect(OrderTold, Listener("message"), name="test.message")
    connect(OrderTold, Listener("projection"), name="test.projection", replayable=True)
    replay("test.projection")
    dispatch_pending()
    assert (heard("projection"), heard("message")) == (ids, [])


def test_only_the_range_asked_for_is_replayed() -> None:
    connect(OrderTold, Listener("projection"), name="test.projection", replayable=True)
    day = dt.timedelta(days=1)
    ids = publish_many([Happened(OrderTold(n), at=NOON + n * day) for n in range(4)])
    dispatch_pending()
    assert replay("test.projection", since=NOON + day, until=NOON + 3 * day) == 2
    dispatch_pending()
    assert heard("projection") == sorted(ids + ids[1:3])  # nobody emptied it


def test_replaying_what_is_still_pending_runs_it_once() -> None:
    connect(OrderTold, Listener("projection"), name="test.projection", replayable=True)
    connect(OrderTold, Listener("message"), name="test.message")
    ids = tell(2)
    replay("test.projection")
    replay("test.projection")
    dispatch_pending()
    assert heard("projection") == heard("message") == ids
    assert queries.pending_count() == 0


def test_a_reaction_that_is_no_projection_is_refused() -> None:
    connect(OrderTold, Listener("message"), name="test.message")
    with pytest.raises(NotReplayable, match=r"test\.message"):
        replay("test.message")


def test_a_reaction_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownReaction, match=r"test\.nobody"):
        replay("test.nobody")
