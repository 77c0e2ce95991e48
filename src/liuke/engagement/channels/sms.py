"""Text messages."""

from __future__ import annotations

from liuke.base import sms
from liuke.base.outside import Outcome
from liuke.engagement.channels.channel import Outgoing

REFUSE_BY_REPLY = (
    "拒收请回复R"  # the form that carriers and providers in China ask for, word for word
)


class Sms:
    """Through the gateway of `LIUKE_SMS`. A marketing text says how to refuse the next one."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over one text."""
        text = outgoing.text
        if outgoing.opt_out_link:
            text = f"{text} {REFUSE_BY_REPLY}"
        return sms.gateway().send(phone=outgoing.address, text=text, reference=outgoing.reference)
