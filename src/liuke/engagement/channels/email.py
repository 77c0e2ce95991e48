"""E-mail, plain text, with one-click unsubscribing (RFC 2369, RFC 8058)."""

from __future__ import annotations

from threading import BoundedSemaphore

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from liuke.base import mail
from liuke.base.outside import Outcome
from liuke.engagement.channels.channel import Outgoing

CONNECTIONS_MAX = 8  # mail servers turn away a sender who opens too many


class Email:
    """Through the server of `LIUKE_SMTP_URL`."""

    def __init__(self) -> None:
        self._connections = BoundedSemaphore(CONNECTIONS_MAX)

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over one letter."""
        headers: dict[str, str] = {}
        text = outgoing.text
        if outgoing.opt_out_link:
            headers |= {
                "List-Unsubscribe": f"<{outgoing.opt_out_link}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
            text = f"{text}\n\n-- \n{_how_to_stop(outgoing.opt_out_link)}\n"
        with self._connections:
            return mail.send(
                to=outgoing.address,
                subject=outgoing.subject,
                text=text,
                headers=headers,
                reference=outgoing.reference,
            )


def _how_to_stop(link: str) -> str:
    with translation.override(settings.LANGUAGE_CODE):
        return gettext("To get no more of these e-mails, open %(link)s") % {"link": link}
