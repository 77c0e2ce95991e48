"""How is a message shown to the member whose it is: as a line of a list, and whole?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext

from liuke.engagement.models import Message
from liuke.engagement.queries import InboxItem, LedgerRow
from liuke.interfaces.storefront import wording

_LINE_LETTERS = 80


@dataclass(frozen=True)
class Letter:
    """A message or call. `on` is a day in the member's own zone; `body` is empty where there is nothing to read."""

    reference: str
    title: str
    body: str
    channel: str
    purpose: str
    on: dt.date
    is_read: bool = True
    fate: str = ""

    @property
    def begins(self) -> str:
        return Truncator(" ".join(self.body.split())).chars(_LINE_LETTERS)

    @property
    def about(self) -> str:
        """How it came and what became of it; what it was, where the title does not say so already."""
        kind = "" if self.title == self.purpose_name else self.purpose_name
        return " · ".join(part for part in (self.channel_name, kind, self.fate) if part)

    @property
    def told_on(self) -> str:
        return date_format(self.on, "MONTH_DAY_FORMAT")

    @property
    def is_offer(self) -> bool:
        return self.purpose == "marketing"

    @property
    def icon(self) -> str:
        return wording.ICONS[self.channel]

    @property
    def channel_name(self) -> str:
        return wording.channel_name(self.channel)

    @property
    def purpose_name(self) -> str:
        return wording.purpose_name(self.purpose)


def of_inbox(item: InboxItem, zone: ZoneInfo) -> Letter:
    """A line of the inbox."""
    return Letter(
        reference=item.reference,
        title=_title(item.subject, item.purpose),
        body=item.body,
        channel="inbox",
        purpose=item.purpose,
        on=item.at.astimezone(zone).date(),
        is_read=item.opened_at is not None,
    )


def of_ledger(row: LedgerRow, zone: ZoneInfo) -> Letter:
    """A line of the ledger of contacts."""
    return Letter(
        reference=row.reference,
        title=_title(row.subject, row.purpose),
        body="",
        channel=row.channel,
        purpose=row.purpose,
        on=row.at.astimezone(zone).date(),
        fate=_fate(row),
    )


def whole(message: Message, zone: ZoneInfo) -> Letter:
    """One message; what an agent is to say on the phone is not shown."""
    return Letter(
        reference=message.reference,
        title=_title(message.subject, message.purpose),
        body="" if message.channel == "list" else message.body,
        channel=message.channel,
        purpose=message.purpose,
        on=(message.ended_at or message.made_at).astimezone(zone).date(),
    )


def _title(subject: str, purpose: str) -> str:
    return subject or wording.purpose_name(purpose)


def _fate(row: LedgerRow) -> str:
    if row.state == "unknown":
        return gettext("may not have arrived")
    return wording.call_says(row.call_outcome) if row.channel == "list" else ""
