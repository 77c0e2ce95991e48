"""What are the words of outreach called? Channels, purposes, states and reasons, as an operator reads them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop

CHANNELS = {
    "list": gettext_noop("Call list"),
    "inbox": gettext_noop("Inbox"),
    "sms": gettext_noop("SMS"),
    "email": gettext_noop("E-mail"),
}
CHANNEL_ICONS = {"list": "phone-call", "inbox": "inbox", "sms": "message-square", "email": "mail"}
CHANNELS_SAY = {
    "list": gettext_noop("An agent rings each member, or you take the list elsewhere."),
    "inbox": gettext_noop("Members read it when they open their own page here."),
    "sms": gettext_noop("To the phone number, through your SMS provider."),
    "email": gettext_noop("To the confirmed address, with one-click unsubscribing."),
}
PURPOSES = {"marketing": gettext_noop("Marketing"), "service": gettext_noop("Service")}
PURPOSES_SAY = {
    "marketing": gettext_noop(
        "Needs a yes, takes the member's one contact of the week, and is measured against a control group."
    ),
    "service": gettext_noop(
        "About what they bought, never an offer: open unless they said no, and takes no week."
    ),
}
PLAN_STATES = {
    "draft": gettext_noop("Draft"),
    "active": gettext_noop("In use"),
    "retired": gettext_noop("Retired"),
}
RUN_STATES = {
    "running": gettext_noop("Running"),
    "paused": gettext_noop("Paused"),
    "finished": gettext_noop("Completed"),
    "stopped": gettext_noop("Stopped"),
}
RUN_LOOKS = {"running": "active", "paused": "silent", "finished": "new", "stopped": "churned"}
ARMS = {"treated": gettext_noop("Treated"), "control": gettext_noop("Control")}
CALL_KINDS = {"care": gettext_noop("Care"), "recall": gettext_noop("Recall")}
CALL_STATES = {
    "open": gettext_noop("Waiting"),
    "taken": gettext_noop("Taken"),
    "done": gettext_noop("Done"),
}
CALL_OUTCOMES = {
    "reached": gettext_noop("Reached"),
    "no_answer": gettext_noop("No answer"),
    "wrong_number": gettext_noop("Wrong number"),
    "refused": gettext_noop("Wants no calls"),
    "lapsed": gettext_noop("Came too late"),
}
LEAVE_REASONS = {
    "benefits": gettext_noop("Benefits do not fit"),
    "slow_pages": gettext_noop("Slow pages"),
    "late_keys": gettext_noop("Keys came late"),
    "dispute": gettext_noop("A dispute took too long"),
    "rival_price": gettext_noop("Cheaper elsewhere"),
    "no_need": gettext_noop("No need any more"),
    "other": gettext_noop("Something else"),
}
BASES = {
    "member": gettext_noop("said so themselves"),
    "attested": gettext_noop("agreed elsewhere, as the operator states"),
    "agent": gettext_noop("told an agent"),
    "one_click": gettext_noop("unsubscribed by one click"),
}
ZONE_ORIGINS = {
    "member": gettext_noop("as the member said"),
    "device": gettext_noop("as their device said"),
    "source": gettext_noop("as the shop's"),
}


@dataclass(frozen=True)
class Reason:
    """Why a candidate got something, nothing, or waits: a name for tables, a sentence, and a mood."""

    name: str
    says: str
    look: str


# In the order of the gate; looks are good, warm, bad and plain.
_REASONS = {
    "erased": (
        gettext_noop("Erased"),
        gettext_noop("Their data was erased; nothing may be sent any more."),
        "plain",
    ),
    "no_consent": (
        gettext_noop("Has not agreed"),
        gettext_noop("There is no yes to marketing on this channel, or they said no."),
        "warm",
    ),
    "trouble": (
        gettext_noop("Has trouble"),
        gettext_noop("Something is unresolved with us: they get care, not an offer."),
        "warm",
    ),
    "holdout": (
        gettext_noop("Hold-out"),
        gettext_noop("Drawn once to get no marketing at all, so that all of it can be measured."),
        "plain",
    ),
    "not_eligible": (
        gettext_noop("Does not fit now"),
        gettext_noop("Left the audience since, or this plan reached them not long ago."),
        "plain",
    ),
    "no_address": (
        gettext_noop("No address"),
        gettext_noop("We know no phone number or address for this channel."),
        "warm",
    ),
    "quiet_hours": (
        gettext_noop("Quiet hours"),
        gettext_noop("It is night where they live, or an hour they asked to be left alone."),
        "plain",
    ),
    "capped": (
        gettext_noop("Week is taken"),
        gettext_noop("They already had their one contact of the week."),
        "plain",
    ),
    "control": (
        gettext_noop("Control"),
        gettext_noop("Gets nothing this time, to compare the others with."),
        "plain",
    ),
    "stopped": (
        gettext_noop("Run was stopped"),
        gettext_noop("The run was stopped before their turn."),
        "plain",
    ),
    "opted_out": (
        gettext_noop("Said no in time"),
        gettext_noop("They said no, or trouble came up, between the plan and the sending."),
        "warm",
    ),
    "accepted": (
        gettext_noop("Sent"),
        gettext_noop("Handed over: on the call list, in the inbox, or taken by the provider."),
        "good",
    ),
    "rejected": (
        gettext_noop("Not taken"),
        gettext_noop("The provider definitely refused it; their week was given back."),
        "bad",
    ),
    "unknown": (
        gettext_noop("Not known"),
        gettext_noop(
            "The provider broke off before answering. It may have arrived, so it is never sent again, "
            "and their week stays taken."
        ),
        "bad",
    ),
    "expired": (
        gettext_noop("Too late"),
        gettext_noop("It could not be sent in time, so it was left out."),
        "plain",
    ),
}
# While a decision still waits, two of the reasons say something else.
_WAITING = {
    "quiet_hours": (
        gettext_noop("Waits for the morning"),
        gettext_noop("It is night where they live: it goes out when their day begins."),
    ),
    "capped": (
        gettext_noop("Waits for their week"),
        gettext_noop("They had a contact this week: it goes out when seven days have passed."),
    ),
}
REASONS = tuple(_REASONS)


def reason(key: str, *, is_waiting: bool = False) -> Reason:
    """The words of a reason; of an unknown one its key."""
    if key not in _REASONS:
        return Reason(key, "", "plain")
    name, says, look = _REASONS[key]
    if is_waiting and key in _WAITING:
        name, says = _WAITING[key]
    return Reason(gettext(name), gettext(says), look)


def reason_name(key: str) -> str:
    """`Hold-out` of `holdout`."""
    return reason(key).name


def channel_name(key: str) -> str:
    """`SMS` of `sms`."""
    return _named({**CHANNELS, "site": gettext_noop("This shop")}, key)


def channel_icon(key: str) -> str:
    """The icon of a channel."""
    return CHANNEL_ICONS.get(key, "send")


def purpose_name(key: str) -> str:
    """`Marketing` of `marketing`."""
    return _named({**PURPOSES, "behaviour": gettext_noop("Notes of visits")}, key)


def run_state_name(key: str) -> str:
    """`Paused` of `paused`."""
    return _named(RUN_STATES, key)


def run_look(key: str) -> str:
    """The chip of a run's state, borrowed from a stage's colours."""
    return RUN_LOOKS.get(key, "none")


def plan_state_name(key: str) -> str:
    """`Draft` of `draft`."""
    return _named(PLAN_STATES, key)


def arm_name(key: str) -> str:
    """`Control` of `control`; "" before the draw."""
    return _named(ARMS, key)


def call_kind_name(key: str) -> str:
    """`Care` of `care`."""
    return _named(CALL_KINDS, key)


def call_outcome_name(key: str) -> str:
    """`Reached` of `reached`."""
    return _named(CALL_OUTCOMES, key)


def leave_reason_name(key: str) -> str:
    """`Slow pages` of `slow_pages`."""
    return _named(LEAVE_REASONS, key)


def basis_says(key: str) -> str:
    """`said so themselves` of `member`."""
    return _named(BASES, key)


def zone_origin_says(key: str) -> str:
    """`as the member said` of `member`."""
    return _named(ZONE_ORIGINS, key)


def _named(names: dict[str, str], key: str) -> str:
    return gettext(names[key]) if key in names else key
