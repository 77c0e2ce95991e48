"""One tap, and no more marketing: what the link at the end of a message does."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from liuke.engagement.queries.messages import message_of_token
from liuke.people.actions import change_consent
from liuke.people.rules import CHANNELS


@dataclass(frozen=True)
class OptOut:
    """What was withdrawn, and whether anything changed by it: a second tap changes nothing."""

    message_reference: str
    channels: tuple[str, ...]
    is_new: bool


def opt_out(token: str, *, everything: bool = False) -> OptOut:
    """Withdraw the person's consent to marketing on the channel of this link's message, or on all channels.

    Messages already in the outbox are held to it when their turn comes.

    Raises:
        BadToken: the link is altered or forged.
    """
    with transaction.atomic():
        message = message_of_token(token)
        channels = CHANNELS if everything else (message.channel,)
        changed = [
            change_consent(
                person_id=message.member.person_id,
                channel=channel,
                purpose="marketing",
                is_given=False,
                basis="one_click",
                words=f"message {message.reference}",
            )
            for channel in channels
        ]
    return OptOut(message.reference, tuple(channels), any(changed))
