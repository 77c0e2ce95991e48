"""Who sends a text message? A gateway, chosen by `LIUKE_SMS`; so far only the console, which stands in for one."""

from __future__ import annotations

import sys
from typing import Protocol

from django.conf import settings

from liuke.base.outside import Accepted, Outcome


class SmsGateway(Protocol):
    """Whoever carries text messages."""

    def send(self, *, phone: str, text: str, reference: str) -> Outcome:
        """Hand over one message to 11 digits. `reference` is ours: handed over twice, it is one message."""
        ...


class Console:
    """Writes each message as a line to stderr, for looking around without a provider."""

    def send(self, *, phone: str, text: str, reference: str) -> Outcome:
        line = " ".join(text.split())
        sys.stderr.write(f"SMS to {phone[:3]}****{phone[-4:]}: {line}\n")
        sys.stderr.flush()
        return Accepted(f"console:{reference}")


GATEWAYS: dict[str, type[SmsGateway]] = {"console": Console}


def gateway() -> SmsGateway:
    """The gateway in force."""
    return GATEWAYS[settings.LIUKE_SMS]()
