"""Text messages."""

from __future__ import annotations

from liuke.base import sms
from liuke.base.outside import Outcome
from liuke.engagement.channels.channel import Outgoing
from liuke.engagement.texts import REFUSE_BY_REPLY


class Sms:
    """Through the gateway of `LIUKE_SMS`. A marketing text says how to refuse the next one."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over one text."""
        text = outgoing.text
        if outgoing.opt_out_link:
            text += REFUSE_BY_REPLY
        return sms.gateway().send(phone=outgoing.address, text=text, reference=outgoing.reference)
