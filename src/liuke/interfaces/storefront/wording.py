"""What do we say to a member of channels, consent and reasons? Never a score, never another member."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_noop, ngettext

from liuke.base import clock
from liuke.interfaces.ui import wording
from liuke.people.models import Member

# In the order of the settings page.
CHANNELS = {
    "inbox": gettext_noop("Messages here"),
    "sms": gettext_noop("Text message"),
    "email": gettext_noop("E-mail"),
    "list": gettext_noop("Phone call"),
}
ICONS = {"inbox": "inbox", "sms": "message-square-text", "email": "mail", "list": "phone"}
PURPOSES = {
    "marketing": gettext_noop("Offers for you"),
    "service": gettext_noop("News of your orders"),
}
# Shown beside each switch, and stored with the change: what somebody agreed to is what they read.
_ASKS = {
    ("inbox", "marketing"): gettext_noop("Offers may be put among my messages here."),
    ("sms", "marketing"): gettext_noop("Offers may be sent to me by text message."),
    ("email", "marketing"): gettext_noop("Offers may be sent to my confirmed e-mail address."),
    ("list", "marketing"): gettext_noop("I may be called about offers."),
    ("inbox", "service"): gettext_noop("News of my orders may be put among my messages here."),
    ("sms", "service"): gettext_noop("News of my orders may be sent to me by text message."),
    ("email", "service"): gettext_noop("News of my orders may be sent to my e-mail address."),
    ("list", "service"): gettext_noop("I may be called about my orders and questions."),
}
_STOPS = {
    ("inbox", "marketing"): gettext_noop("No more offers among my messages"),
    ("sms", "marketing"): gettext_noop("No more offers by text message"),
    ("email", "marketing"): gettext_noop("No more offers by e-mail"),
    ("list", "marketing"): gettext_noop("No more calls about offers"),
    ("inbox", "service"): gettext_noop("No more order news among my messages"),
    ("sms", "service"): gettext_noop("No more order news by text message"),
    ("email", "service"): gettext_noop("No more order news by e-mail"),
    ("list", "service"): gettext_noop("No more calls about my orders"),
}
# What is noted of visits: a consent with a page of its own (privacy.py), so not among the switches above.
BEHAVIOUR_ASK = gettext_noop(
    "The shop may note which pages I open, what I search for and when I come, to suggest what fits me."
)
_BEHAVIOUR_NAMES = {"site": gettext_noop("This shop"), "behaviour": gettext_noop("Notes of visits")}
_VOW = gettext_noop("At most once a week over all channels; I can take this back at any time.")
_CALLS = {
    "": gettext_noop("not rung yet"),
    "reached": gettext_noop("we talked"),
    "no_answer": gettext_noop("nobody answered"),
    "wrong_number": gettext_noop("the number was wrong"),
    "refused": gettext_noop("you wanted no calls"),
    "lapsed": gettext_noop("was not rung after all"),
}
BASES = {
    "member": gettext_noop("You said so here"),
    "attested": gettext_noop("The shop states that you agreed when you joined it"),
    "agent": gettext_noop("You told one of our agents"),
    "one_click": gettext_noop("You unsubscribed from a message"),
}
ZONES = {
    "Asia/Shanghai": gettext_noop("China"),
    "Asia/Urumqi": gettext_noop("Urumqi"),
    "Asia/Hong_Kong": gettext_noop("Hong Kong"),
    "Asia/Macau": gettext_noop("Macao"),
    "Asia/Taipei": gettext_noop("Taipei"),
    "Asia/Singapore": gettext_noop("Singapore"),
    "Asia/Kuala_Lumpur": gettext_noop("Kuala Lumpur"),
    "Asia/Bangkok": gettext_noop("Bangkok"),
    "Asia/Ho_Chi_Minh": gettext_noop("Ho Chi Minh City"),
    "Asia/Jakarta": gettext_noop("Jakarta"),
    "Asia/Manila": gettext_noop("Manila"),
    "Asia/Tokyo": gettext_noop("Tokyo"),
    "Asia/Seoul": gettext_noop("Seoul"),
    "Asia/Dubai": gettext_noop("Dubai"),
    "Europe/Moscow": gettext_noop("Moscow"),
    "Europe/London": gettext_noop("London"),
    "Europe/Paris": gettext_noop("Paris"),
    "Europe/Berlin": gettext_noop("Berlin"),
    "Europe/Madrid": gettext_noop("Madrid"),
    "America/New_York": gettext_noop("New York"),
    "America/Chicago": gettext_noop("Chicago"),
    "America/Los_Angeles": gettext_noop("Los Angeles"),
    "America/Toronto": gettext_noop("Toronto"),
    "America/Vancouver": gettext_noop("Vancouver"),
    "America/Sao_Paulo": gettext_noop("São Paulo"),
    "Australia/Sydney": gettext_noop("Sydney"),
    "Pacific/Auckland": gettext_noop("Auckland"),
}
_STAGES = {
    "new": gettext_noop("placed a first order not long ago"),
    "active": gettext_noop("orders regularly"),
    "silent": gettext_noop("no order for a while"),
    "churned": gettext_noop("no order for a long time"),
}
_OWN_FIGURES = (
    "days_min", "days_max", "orders_min", "orders_max", "total_min_fen", "total_max_fen",
)  # fmt: skip


def channel_name(channel: str) -> str:
    """`Text message` of `sms`."""
    return gettext({**CHANNELS, **_BEHAVIOUR_NAMES}[channel])


def purpose_name(purpose: str) -> str:
    """`Offers for you` of `marketing`."""
    return gettext({**PURPOSES, **_BEHAVIOUR_NAMES}[purpose])


def basis_says(basis: str) -> str:
    """Who said it, to the person it is about."""
    return gettext(BASES[basis])


def ask(channel: str, purpose: str) -> str:
    """The sentence beside a switch."""
    return gettext(_ASKS[channel, purpose])


def stop_says(channel: str, purpose: str) -> str:
    """What one tap stops; kept as the words of the change."""
    return gettext(_STOPS[channel, purpose])


def call_says(outcome: str) -> str:
    """What became of a call, to the person called."""
    return gettext(_CALLS.get(outcome, ""))


def masked(phone: str) -> str:
    """`138****8000`, however the number was typed: enough to recognise one's own."""
    plain = unicodedata.normalize("NFKC", phone)
    digits = "".join(letter for letter in plain if letter.isdecimal())[-11:]
    return f"{digits[:3]}****{digits[-4:]}"


def own_days(days: int) -> str:
    """The member's own figure that day."""
    return ngettext(
        "for you: %(days)s day since the last order we know of",
        "for you: %(days)s days since the last order we know of",
        days,
    ) % {"days": days}


def erase_word() -> str:
    """What is typed to confirm that everything is to be erased."""
    return gettext("erase")


def birthday_says(member: Member) -> str:
    """`8/15, lunar`; "" when we do not know it."""
    if member.birth_month is None:
        return ""
    told = {"month": member.birth_month, "day": member.birth_day}
    if member.birth_calendar == "lunar":
        return gettext("%(month)s/%(day)s, lunar") % told
    return gettext("%(month)s/%(day)s") % told


def vow() -> str:
    """What holds for every offer, said once above the switches."""
    return gettext(_VOW)


def agreed_words(channel: str, purpose: str) -> str:
    """All that somebody reads when they move this switch, as it is kept with the change."""
    asked = ask(channel, purpose)
    return f"{asked} {vow()}" if purpose == "marketing" else asked


def zone_says(zone: str) -> str:
    """`Tokyo (UTC+9)`; a zone without a name of ours is called what it is called."""
    offset = clock.now().astimezone(ZoneInfo(zone)).utcoffset() or dt.timedelta()
    minutes = int(offset.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    told = f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
    return f"{gettext(ZONES[zone]) if zone in ZONES else zone} ({told})"


def audience_facts(audience: Mapping[str, Any], currency: str) -> list[str]:
    """Whom a message was for, in facts that a member can check about themselves: never a score or a group's name."""
    facts = [gettext(_STAGES[audience["stage"]])] if audience.get("stage") in _STAGES else []
    if audience.get("overdue"):
        facts.append(gettext("usually orders again sooner"))
    if audience.get("cohort"):
        facts.append(_since(audience["cohort"]))
    own = {name: audience[name] for name in _OWN_FIGURES if audience.get(name) is not None}
    if own:
        facts.append(wording.bounds_say(own, currency))
    if "within" in audience or any(audience.get(name) for name in ("leaving", "group", "r", "f")):
        facts.append(gettext("fits by how recently and how often they order"))
    return facts or [gettext("has ordered here")]


def _since(month: str) -> str:
    first = dt.date.fromisoformat(f"{month}-01")
    return gettext("first order in %(month)s") % {"month": date_format(first, "YEAR_MONTH_FORMAT")}
