"""Which plans does a new site find ready? Data: an audience, a channel, an offer and a wording to start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from liuke.engagement.errors import UnknownTemplate

Text = str | Promise


@dataclass(frozen=True)
class PlanTemplate:
    """What a new plan starts from; everything may be changed. Texts are in the language of whoever looks."""

    key: str
    name: Text
    description: Text
    audience: Mapping[str, object]
    channel: str
    body: Text
    subject: Text = ""
    offer: Text = ""
    offer_worth_fen: int = 0
    cost_each_fen: int = 0
    purpose: str = "marketing"
    window_days: int = 30
    again_after_days: int = 30


def _all_of(*parts: Mapping[str, object]) -> dict[str, object]:
    return {"version": 1, "rule": {"and": list(parts)}}


_TEMPLATES = (
    PlanTemplate(
        key="seven_days",
        name=gettext_lazy("Seven days away"),
        description=gettext_lazy(
            "Members with two orders or more who were last seen 7 to 29 days ago: their last login or order, whichever"
            " is later. An imported log knows no logins, so there the orders stand in."
        ),
        audience=_all_of({"fact": "days_away", "min": 7, "max": 29}, {"fact": "orders", "min": 2}),
        channel="inbox",
        subject=gettext_lazy("We have not seen you for {away} days"),
        body=gettext_lazy(
            "Hello {member}, your last order was {last_item|with us}, {days} days ago. If something was not"
            " right, answer us; if you only had no need, we are here when you do. {site}"
        ),
    ),
    PlanTemplate(
        key="return_pack",
        name=gettext_lazy("Return pack"),
        description=gettext_lazy(
            "Members who fell silent, 30 days or more since their last order: a coupon that needs no minimum."
        ),
        audience={"stage": "silent", "days_min": 30},
        channel="inbox",
        subject=gettext_lazy("Welcome back: {offer}"),
        body=gettext_lazy(
            "Hello {member}, it has been {days} days. For your next order: {offer}. {site}"
        ),
        offer=gettext_lazy("50 yuan off, no minimum"),
        offer_worth_fen=5000,
    ),
    PlanTemplate(
        key="leaving_calls",
        name=gettext_lazy("Calls to members who are leaving"),
        description=gettext_lazy(
            "Members whom the forecast sees leaving: likely to order nothing, and something has changed. Let it run"
            " every day, and each new warning puts a call on the list by itself."
        ),
        audience={"leaving": True},
        channel="list",
        body=gettext_lazy(
            "Ask {member} how things are ({orders} orders, last: {last_item|unknown}, {days} days ago). Their page"
            " says what has changed. Offer help first, nothing else."
        ),
    ),
    PlanTemplate(
        key="at_risk_calls",
        name=gettext_lazy("Calls to members at risk"),
        description=gettext_lazy(
            "Members with one order of some size and nothing since, for 30 days or more: an agent rings, asks why,"
            " and writes the reason down."
        ),
        audience={"group": "at_risk"},
        channel="list",
        body=gettext_lazy(
            "Ask {member} why they stay away ({days} days, {orders} orders, last: {last_item|unknown}). Offer"
            " help first, nothing else."
        ),
    ),
)


def templates() -> list[PlanTemplate]:
    """Every template, simplest first."""
    return list(_TEMPLATES)


def template(key: str) -> PlanTemplate:
    """The template of that key.

    Raises:
        UnknownTemplate: there is none.
    """
    for each in _TEMPLATES:
        if each.key == key:
            return each
    raise UnknownTemplate(key=key, known=", ".join(each.key for each in _TEMPLATES))
