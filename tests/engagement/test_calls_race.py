"""Agents and workers at the same moment: one of them gets it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from liuke.analytics.models import Source
from liuke.engagement.actions.calls import take_call
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.send import send_due
from liuke.engagement.channels import OUTSIDE
from liuke.engagement.errors import CallTaken
from liuke.engagement.models import Call, Message
from liuke.people.actions import open_login
from liuke.people.models import Login, StaffAct
from tests.conftest import PASSWORD
from tests.engagement import make
from tests.engagement.provider import Provider

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
CONTENDERS = 6


@pytest.fixture
def source(noon: dt.datetime, tmp_path: Path) -> Source:
    set_outreach_policy(by=None, holdout_permyriad=0)
    return make.shop(tmp_path, [f"138000000{n:02}" for n in range(60)])


def outbox(source: Source, channel: str) -> None:
    make.run(make.plan(source, channel=channel))
    make.decide()


def at_once(act: Callable[[int], str]) -> list[str]:
    """What each contender says; they start together, each with a connection of its own."""
    gate = threading.Barrier(CONTENDERS)

    def contend(number: int) -> str:
        try:
            gate.wait(timeout=20)
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(CONTENDERS) as threads:
        return list(threads.map(contend, range(CONTENDERS)))


def test_of_many_agents_one_gets_the_call(source: Source) -> None:
    outbox(source, "list")
    send_due()
    agents = [open_login(name=f"agent {n}", password=PASSWORD) for n in range(CONTENDERS)]
    reference = Call.objects.earliest("id").reference

    def take(number: int) -> str:
        try:
            return str(take_call(reference, by=agents[number]).taken_by)
        except CallTaken:
            return "too late"

    said = at_once(take)
    assert said.count("too late") == CONTENDERS - 1
    winner = Login.objects.get(name=next(word for word in said if word != "too late"))
    assert Call.objects.get(reference=reference).taken_by == winner
    assert StaffAct.objects.filter(verb="call.take").count() == 1


def test_many_senders_send_each_message_once(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider()
    monkeypatch.setitem(OUTSIDE, "sms", provider)
    outbox(source, "sms")
    assert sum(int(seen) for seen in at_once(lambda _: str(send_due()))) == 60
    assert len({call.reference for call in provider.calls}) == len(provider.calls) == 60
    assert set(Message.objects.values_list("state", "attempts")) == {("accepted", 1)}


def test_many_senders_put_each_call_on_the_list_once(source: Source) -> None:
    outbox(source, "list")
    assert sum(int(seen) for seen in at_once(lambda _: str(send_due()))) == 60
    assert Call.objects.count() == 60
