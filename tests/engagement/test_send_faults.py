"""What if the process dies, or the database goes away, at the worst moment? Each seam between the three steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from liuke.base import clock
from liuke.base.outside import Accepted, Outcome
from liuke.engagement.actions import send as sending
from liuke.engagement.actions.last_check import Due
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.recover import record_outcome, recover_unfinished
from liuke.engagement.actions.send import send_due
from liuke.engagement.actions.settle import End
from liuke.engagement.channels import OUTSIDE, Outgoing
from liuke.engagement.models import Contact, Decision, Message
from tests.databases import url
from tests.engagement import make
from tests.engagement.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)
FIVE_MINUTES = dt.timedelta(minutes=5)


class Killed(BaseException):
    """The process ends here: nobody may catch this."""


@pytest.fixture
def provider(noon: dt.datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """An SMS provider, and three messages in the outbox."""
    stand_in = Provider()
    monkeypatch.setitem(OUTSIDE, "sms", stand_in)
    set_outreach_policy(by=None, holdout_permyriad=0)
    make.run(make.plan(make.shop(tmp_path, [f"1380000000{n}" for n in range(3)]), channel="sms"))
    make.decide()
    return stand_in


def states() -> list[str]:
    return list(Message.objects.order_by("id").values_list("state", flat=True))


def weeks_kept() -> int:
    return Contact.objects.filter(given_back_at=None).count()


def die(monkeypatch: pytest.MonkeyPatch, seam: str) -> None:
    """Send, and be killed as soon as `seam` is reached."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as fault:
        fault.setattr(sending, seam, killed)
        with pytest.raises(Killed):
            send_due()
    connection.close()


def recover(after: dt.timedelta = FIVE_MINUTES) -> int:
    with clock.stopped_at(clock.now() + after):
        return recover_unfinished()


def test_killed_between_claim_and_send_everything_goes_later(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(monkeypatch, "check_due")
    assert (states(), weeks_kept()) == (["queued"] * 3, 3)
    assert send_due() == 3
    assert (states(), len(provider.calls)) == (["accepted"] * 3, 3)


def test_killed_while_marking_nothing_is_marked(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(monkeypatch, "extend_weeks")
    assert states() == ["queued"] * 3
    assert send_due() == 3
    assert len(provider.calls) == 3


def test_killed_between_mark_and_provider_they_end_as_unknown_and_are_not_sent(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(monkeypatch, "_hand_over")
    assert (states(), provider.calls) == (["sending"] * 3, [])
    assert send_due() == 0
    assert recover(FIVE_MINUTES - dt.timedelta(seconds=1)) == 0
    assert recover() == 3
    assert (states(), weeks_kept()) == (["unknown"] * 3, 3)
    assert set(Decision.objects.values_list("state", "reason")) == {(3, "unknown")}
    assert send_due() == 0
    assert provider.calls == []


def test_killed_between_provider_and_record_they_are_called_once_and_the_truth_may_come_late(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(monkeypatch, "_record")
    assert (states(), len(provider.calls)) == (["sending"] * 3, 3)
    assert send_due() == 0
    assert recover() == 3
    assert states() == ["unknown"] * 3
    late = provider.calls[0].reference
    assert record_outcome(message_reference=late, outcome=Accepted("late"))
    assert sorted(states()) == ["accepted", "unknown", "unknown"]
    assert len(provider.calls) == 3


def test_killed_while_recording_nothing_is_half_written(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = sending.settle

    def written_and_killed(ends: Sequence[End], **told: Any) -> set[int]:
        found = written(ends, **told)
        if ends:
            raise Killed
        return found

    with monkeypatch.context() as fault:
        fault.setattr(sending, "settle", written_and_killed)
        with pytest.raises(Killed):
            send_due()
    assert (states(), len(provider.calls)) == (["sending"] * 3, 3)
    assert set(Decision.objects.values_list("state", "reason")) == {(2, "")}
    assert recover() == 3
    assert states() == ["unknown"] * 3


def test_a_database_connection_lost_while_the_provider_is_called_loses_no_outcome(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "RECORD_PAUSES_SECONDS", (0.0, 0.0))
    backend = own_backend()

    def accepted_and_cut(outgoing: Outgoing) -> Outcome:
        cut(backend)
        return Accepted(f"p-{outgoing.reference}")

    provider.answers = [accepted_and_cut]
    assert send_due() == 3
    assert own_backend() != backend
    assert (states(), len(provider.calls)) == (["accepted"] * 3, 3)


def test_a_database_that_stays_away_leaves_them_to_be_recovered(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def gone(*_: object) -> None:
        tries.append(1)
        raise OperationalError("the database is gone")

    monkeypatch.setattr(sending, "RECORD_PAUSES_SECONDS", (0.0, 0.0))
    with monkeypatch.context() as fault:
        fault.setattr(sending, "_record_once", gone)
        with pytest.raises(OperationalError):
            send_due()
    assert (len(tries), len(provider.calls)) == (3, 3)
    assert states() == ["sending"] * 3
    assert recover() == 3
    assert states() == ["unknown"] * 3


def test_a_slow_worker_that_was_given_up_may_still_tell_the_truth(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = sending._record

    def given_up_first(going: Sequence[Due], outcomes: Sequence[Outcome]) -> None:
        assert recover() == 3
        record(going, outcomes)

    monkeypatch.setattr(sending, "_record", given_up_first)
    send_due()
    assert states() == ["accepted"] * 3


def own_backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def cut(backend: int) -> None:
    with psycopg.connect(url(connection.settings_dict["NAME"]), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])
