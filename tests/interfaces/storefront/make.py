"""Members at their own door, and messages sent to them, through the same actions as theirs."""

from __future__ import annotations

import datetime as dt
import re

from django.http import HttpResponse
from django.test import Client

from liuke.analytics.models import Source
from liuke.base import clock, sealing
from liuke.engagement.actions.send import send_due
from liuke.engagement.models import Message
from liuke.people.models import ConsentChange, Member
from tests.engagement import make
from tests.people.make import Phone

LI, WANG, NOBODY = "13800138000", "13900139000", "13811138000"
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')


def browser(**options: bool) -> Client:
    """Someone's browser, in English."""
    client = Client(**options)
    client.cookies["lang"] = "en"
    return client


def code_of(phone: Phone) -> str:
    """The six digits of the last text message."""
    found = re.search(r"(?<!\d)\d{6}(?!\d)", phone.sent[-1][1])
    assert found is not None
    return found[0]


def ask(client: Client, number: str, **more: str) -> HttpResponse:
    """Ask for a code."""
    return client.post("/me/login/", {"phone": number, **more})


def enter(client: Client, code: str, **more: str) -> HttpResponse:
    """Type a code."""
    return client.post("/me/login/code/", {"code": code, **more})


def sign_in(phone: Phone, number: str, client: Client | None = None) -> Client:
    """The browser of the member with this number, signed in by the code they were sent."""
    client = client or browser()
    assert ask(client, number).status_code == 302
    answer = enter(client, code_of(phone))
    assert (answer.status_code, answer["Location"]) == (302, "/me/")
    return client


def later(**time: float) -> dt.datetime:
    """A moment after now."""
    return clock.now() + dt.timedelta(**time)


def member(number: str) -> Member:
    """The person with this number."""
    index = sealing.blind_index(number, "people.phone")
    return Member.objects.filter(phone_index=index).order_by("id")[0].person


def send(source: Source, number: str, **fields: object) -> Message:
    """Send everyone silent of the source a message; the one this number got."""
    said = {"subject": "Come back, {member}", "body": "50 off, no minimum", **fields}
    make.run(make.plan(source, **said))
    make.decide()
    send_due()
    return Message.objects.filter(member__person=member(number)).latest("id")


def said(number: str) -> list[tuple[str, str, bool, str, str]]:
    """(channel, purpose, yes or no, basis, words) of everything this person said themselves, oldest first."""
    found = ConsentChange.objects.filter(person=member(number)).exclude(words="").order_by("id")
    return [(c.channel, c.purpose, c.is_given, c.basis, c.words) for c in found]


def shown(answer: HttpResponse) -> bytes:
    """A page without its form token, which differs from visit to visit."""
    return _TOKEN.sub(b"", answer.content)
