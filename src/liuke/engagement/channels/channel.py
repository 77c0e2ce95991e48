"""What is a channel? One of our own tables, or a way through somebody else's hands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from liuke.base.outside import Outcome


@dataclass(frozen=True)
class Outgoing:
    """One message on its way out, with the plain address: it is made right before the call and kept nowhere."""

    reference: str
    address: str
    subject: str
    text: str
    opt_out_link: str  # "" on a service message


class OwnChannel(Protocol):
    """A table of ours: what it does is part of the transaction that says it was done, so it is done exactly once."""

    def put(self, message_ids: Sequence[int], *, at: dt.datetime) -> None:
        """Write the effect of these messages, in the caller's transaction."""


class OutsideChannel(Protocol):
    """Somebody else's hands. Called outside any transaction, from several threads at once."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over one message, within a minute. Whatever it raises counts as unknown."""
