"""Members, logins and what is sent to them, made through the room's own actions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pyotp
from django.db import transaction

from liuke.base import clock
from liuke.base.outside import Accepted, Outcome
from liuke.people.actions import begin_totp, confirm_totp, enrol, open_login
from liuke.people.models import Login, Member

PASSWORD = "correct horse battery"


def members(*names: str, source: str = "main") -> list[Member]:
    """Enrol people of a source by the names an order log has for them; in the order given."""
    with transaction.atomic():
        enrol(source=source, names=names)
    known = {}
    for row in Member.objects.filter(source=source):
        known[row.external_id] = row
        if row.phone():
            known[row.phone()] = row
    return [known[name] for name in names]


def member(name: str = "m1", source: str = "main") -> Member:
    return members(name, source=source)[0]


def agent(name: str = "坐席") -> Login:
    return open_login(name=name, password=PASSWORD, role="agent")


def code_of(secret: str, seconds: int = 0) -> str:
    """What an authenticator shows now, or some seconds from now."""
    return pyotp.TOTP(secret).at(int(clock.now().timestamp()) + seconds)


def with_totp(login: Login) -> tuple[str, list[str]]:
    """Prove an authenticator; its secret and the recovery codes."""
    secret = begin_totp(login=login).secret
    return secret, confirm_totp(login=login, code=code_of(secret))


def six_digits(text: str) -> str:
    """The code in a message, whatever its language."""
    found = re.search(r"[0-9]{6}", text)
    assert found is not None, "no code in the message"
    return found[0]


@dataclass
class Phone:
    """A gateway that keeps what it was given, and answers as it is told."""

    answer: Outcome = field(default_factory=lambda: Accepted("1"))
    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, *, phone: str, text: str, reference: str) -> Outcome:
        self.sent.append((phone, text))
        return self.answer

    def code(self) -> str:
        """The six digits of the last message."""
        return six_digits(self.sent[-1][1])


@dataclass
class Letterbox:
    """A mail server that keeps what it was given."""

    answer: Outcome = field(default_factory=lambda: Accepted("1"))
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def send(
        self, *, to: str, subject: str, text: str, headers: dict[str, str], reference: str
    ) -> Outcome:
        self.sent.append((to, subject, text))
        return self.answer

    def code(self) -> str:
        """The six digits of the last mail."""
        return six_digits(self.sent[-1][2])
