"""What are roles called, and how is it told what staff did?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext

from liuke.interfaces.ui import wording
from liuke.interfaces.ui.figures import price
from liuke.interfaces.ui.order_words import why_says
from liuke.interfaces.ui.outreach_words import call_outcome_name
from liuke.interfaces.ui.rule_words import rule_name

ROLES = {
    "agent": (
        gettext_noop("Agent"),
        gettext_noop(
            "Sees members and orders, answers calls, delivers by hand, flags trouble."
            " Gives no money back, sends nothing, changes no rules."
        ),
    ),
    "operator": (gettext_noop("Operator"), gettext_noop("May do everything.")),
}


@dataclass(frozen=True)
class Thing:
    """A kind of thing that acts are about; `prefixes` are what their verbs begin with."""

    name: str
    prefixes: tuple[str, ...]


THINGS = {
    "member": Thing(gettext_noop("Members"), ("member", "consent", "trouble")),
    "call": Thing(gettext_noop("Calls"), ("call", "calls")),
    "plan": Thing(gettext_noop("Plans and runs"), ("plan", "run", "outreach")),
    "segment": Thing(gettext_noop("Segments"), ("segment",)),
    "order": Thing(
        gettext_noop("Orders and money"),
        ("order", "delivery", "rejection", "refund", "discrepancy"),
    ),
    "product": Thing(gettext_noop("Products"), ("product", "variant", "scene")),
    "keys": Thing(gettext_noop("Card keys"), ("keys", "key")),
    "merchant": Thing(gettext_noop("Merchants"), ("merchant",)),
    "upload": Thing(gettext_noop("Imports"), ("upload",)),
    "membership": Thing(
        gettext_noop("Levels, offers and coupons"), ("ladder", "offer", "coupon_kind", "coupon")
    ),
    "rules": Thing(gettext_noop("Rules"), ("policy", "group")),
    "login": Thing(gettext_noop("Staff and the door"), ("login",)),
}
ACTS = {
    "call.record": gettext_noop("wrote down what came of a call"),
    "call.release": gettext_noop("put a call back"),
    "call.take": gettext_noop("took a call and saw the number"),
    "calls.export": gettext_noop("took a call list with numbers"),
    "consent.attest": gettext_noop("stated that the members of a source agreed"),
    "consent.change": gettext_noop("changed what a member allows"),
    "consent.end_attestation": gettext_noop("withdrew a statement of consent"),
    "coupon.give": gettext_noop("gave a member a coupon"),
    "coupon_kind.make": gettext_noop("made a kind of coupon"),
    "coupon_kind.stop": gettext_noop("stopped a kind of coupon"),
    "delivery.by_hand": gettext_noop("delivered by hand"),
    "discrepancy.settle": gettext_noop("settled what did not fit"),
    "group.set": gettext_noop("changed an RFM group"),
    "key.bad": gettext_noop("found a card key that does not work"),
    "key.revoked": gettext_noop("took a card key back"),
    "keys.import": gettext_noop("brought card keys in"),
    "keys.revoke_batch": gettext_noop("took a batch of card keys back"),
    "ladder.activate": gettext_noop("put a ladder of levels in force"),
    "ladder.levels": gettext_noop("changed the levels of a ladder"),
    "login.close": gettext_noop("closed a login"),
    "login.drop_totp": gettext_noop("removed an authenticator"),
    "login.open": gettext_noop("opened a login"),
    "login.password": gettext_noop("changed a password"),
    "login.prove_totp": gettext_noop("set up an authenticator"),
    "login.recovery_codes": gettext_noop("made new recovery codes"),
    "login.reopen": gettext_noop("reopened a login"),
    "login.role": gettext_noop("changed a role"),
    "member.erase": gettext_noop("erased a member"),
    "member.export": gettext_noop("took everything known of a member"),
    "member.phone": gettext_noop("changed a member's phone number"),
    "merchant.close": gettext_noop("closed a merchant"),
    "merchant.fee": gettext_noop("changed a merchant's fee"),
    "merchant.open": gettext_noop("opened a merchant"),
    "merchant.pause": gettext_noop("paused a merchant"),
    "merchant.resume": gettext_noop("let a merchant sell again"),
    "merchant.staff": gettext_noop("let somebody in who works for a merchant"),
    "offer.end": gettext_noop("ended an offer"),
    "offer.make": gettext_noop("made an offer"),
    "order.cancel": gettext_noop("cancelled an order"),
    "order.refund": gettext_noop("gave money back"),
    "order.secrets": gettext_noop("looked at a buyer's secret answers"),
    "order.take_back": gettext_noop("took an order back"),
    "outreach.resume": gettext_noop("let outreach go on"),
    "outreach.stop": gettext_noop("stopped all outreach"),
    "plan.by_hand": gettext_noop("set a plan to run by hand"),
    "plan.daily": gettext_noop("set a plan to run every day"),
    "plan.edit": gettext_noop("changed a plan"),
    "plan.make": gettext_noop("made a plan"),
    "plan.retire": gettext_noop("retired a plan"),
    "plan.skip": gettext_noop("left out today's run of a plan"),
    "policy.delivery": gettext_noop("changed the rules for rejections"),
    "policy.orders": gettext_noop("changed the rules for orders"),
    "policy.outreach": gettext_noop("changed what outreach may do"),
    "policy.reveals": gettext_noop("changed how many card keys a login sees"),
    "policy.set": gettext_noop("changed the thresholds"),
    "policy.staff": gettext_noop("changed what the door asks"),
    "product.edit": gettext_noop("changed a product"),
    "product.hide": gettext_noop("hid a product"),
    "product.list": gettext_noop("put a product on offer"),
    "product.make": gettext_noop("described a product"),
    "refund.retry": gettext_noop("sent a refund once more"),
    "refund.to_wallet": gettext_noop("gave a refund to the buyer's balance"),
    "rejection.settle": gettext_noop("decided about a rejection"),
    "run.hold": gettext_noop("paused a run that could not go on"),
    "run.pause": gettext_noop("paused a run"),
    "run.resume": gettext_noop("went on with a run"),
    "run.start": gettext_noop("started a run"),
    "run.stop": gettext_noop("stopped a run"),
    "scene.save": gettext_noop("changed a scene"),
    "segment.change": gettext_noop("changed the rule of a segment"),
    "segment.rename": gettext_noop("renamed a segment"),
    "segment.retire": gettext_noop("retired a segment"),
    "segment.save": gettext_noop("saved a segment"),
    "trouble.close": gettext_noop("closed a trouble flag"),
    "trouble.raise": gettext_noop("flagged a member as in trouble"),
    "upload.drop": gettext_noop("threw a dropped file away"),
    "upload.start": gettext_noop("started an import"),
    "upload.take": gettext_noop("dropped a file"),
    "variant.edit": gettext_noop("changed a variant"),
    "variant.hide": gettext_noop("hid a variant"),
    "variant.list": gettext_noop("offered a variant"),
    "variant.make": gettext_noop("added a variant"),
    "variant.parts": gettext_noop("changed what a bundle holds"),
    "variant.stock": gettext_noop("counted stock"),
}
BY_ITSELF = ("plan.skip", "run.hold")  # done by no person
_UNTOLD = {
    "filter",
    "changed",
    "call",
    "run",
    "flag",
    "key",
    "line",
}  # told elsewhere, or a number of ours


def role_name(key: str) -> str:
    """The role in the reader's language."""
    return gettext(ROLES[key][0]) if key in ROLES else key


def who_says(verb: str, name: str | None) -> str:
    """Who did it: somebody, the site by itself, or whoever sat at the command line."""
    if name is not None:
        return name
    return gettext("the site itself") if verb in BY_ITSELF else gettext("command line")


def act_says(verb: str) -> str:
    """What was done."""
    return gettext(ACTS[verb]) if verb in ACTS else verb


def about_says(verb: str, about: str) -> str:
    """What it was done to, as a person calls it."""
    if verb == "group.set":
        return wording.group_name(about)
    return "" if verb.startswith("policy.") else about


def detail_says(detail: Mapping[str, Any]) -> str:
    """What else is known of an act, on one line."""
    told = (_one(key, value) for key, value in detail.items() if key not in _UNTOLD)
    return gettext("; ").join(part for part in told if part)


def _one(key: str, value: Any) -> str:
    if key in _TOLD:
        return _TOLD[key](value)
    name = rule_name(key)
    shown = gettext("none") if value in (None, "") else str(value)
    return f"{name} {shown}" if name else shown


def _decided(is_granted: bool) -> str:
    return gettext("granted") if is_granted else gettext("refused")


def _second_factor(is_required: bool) -> str:
    return gettext("second factor for all") if is_required else gettext("second factor by choice")


_TOLD: dict[str, Callable[[Any], str]] = {
    "is_totp_required": _second_factor,
    "candidates": lambda n: ngettext("%(n)s candidate", "%(n)s candidates", n) % {"n": n},
    "calls": lambda n: ngettext("%(n)s number", "%(n)s numbers", n) % {"n": n},
    "keys": lambda n: ngettext("%(n)s card key", "%(n)s card keys", n) % {"n": n},
    "role": lambda key: role_name(key),
    "outcome": call_outcome_name,
    "price_fen": price,
    "amount_fen": price,
    "paid_fen": price,
    "is_granted": _decided,
    "how": lambda how: gettext("sent back") if how == "refund" else "",
    "why": why_says,
    "answer": str,
    "note": str,
    "fee": lambda permyriad: f"{permyriad / 100:g} %",
    "parts": lambda parts: gettext("; ").join(parts),
}
