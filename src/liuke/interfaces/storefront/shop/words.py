"""What do we say in the shop of time, payment and delivery?"""

from __future__ import annotations

import datetime as dt

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, gettext_noop, ngettext

from liuke.analytics.queries.shown_lists import Suggested
from liuke.base import clock
from liuke.catalog.models import Scene
from liuke.interfaces.storefront.shop.shelf import Item
from liuke.interfaces.ui.figures import price

SCENE_ICONS = {
    "games": "gamepad-2",
    "films": "clapperboard",
    "phone": "smartphone",
    "shopping": "shopping-bag",
    "software": "app-window",
    "services": "hand-helping",
}
GATEWAYS = {
    "wallet": gettext_noop("Balance"),
    "sandbox": gettext_noop("Sandbox (no real money)"),
}
REASONS = {
    "does_not_work": gettext_noop("It does not work"),
    "already_used": gettext_noop("It was used already"),
    "wrong_item": gettext_noop("It is something else"),
    "not_as_described": gettext_noop("It is not as described"),
    "too_late": gettext_noop("It comes too late"),
}
CANCELS = {
    "member": gettext_noop("You cancelled it."),
    "staff": gettext_noop("The shop cancelled it."),
    "expired": gettext_noop("It was not paid in time."),
}
STATES = {
    "placed": gettext_noop("To be paid"),
    "paid": gettext_noop("In the works"),
    "delivered": gettext_noop("Delivered"),
    "completed": gettext_noop("Completed"),
    "cancelled": gettext_noop("Cancelled"),
    "refunded": gettext_noop("Refunded"),
}
WRONG_ANSWERS = {
    "missing": gettext_noop("Please fill this in."),
    "too_long": gettext_noop("This is too long."),
    "unprintable": gettext_noop("There are letters in this that cannot be printed."),
    "not_a_phone": gettext_noop("This is not a mobile number."),
    "not_a_choice": gettext_noop("Please choose one of these."),
    "bad_form": gettext_noop("This does not look right."),
}
SHOWN = {
    "followed_cheaper": gettext_noop("You follow it: %(less)s cheaper now"),
    "followed_back": gettext_noop("You follow it: it is back"),
    "subject": gettext_noop("You often buy %(subject)s"),
    "viewed": gettext_noop("You looked at it lately"),
    "goes_with": gettext_noop("Who bought %(because)s bought this too"),
    "popular_week": gettext_noop("Many buy it this week"),
    "popular_lately": gettext_noop("Many bought it lately"),
    "popular_in_scene": gettext_noop("Much bought in %(scene)s"),
}
STEPS = {
    "list": gettext_noop("List price"),
    "level": gettext_noop("Your level: %(text)s"),
    "special": gettext_noop("For you: %(text)s"),
    "quantity": gettext_noop("Price for more"),
    "coupon": gettext_noop("Coupon: %(text)s"),
    "gift": gettext_noop("Gift: %(text)s"),
}
BOOKED = {
    "payment": gettext_noop("Paid an order"),
    "refund": gettext_noop("Money back"),
}


def scene_name(scene: Scene) -> str:
    """What a scene is called in the visitor's language."""
    return scene.name_en if get_language() == "en" else scene.name_zh


def scene_icon(key: str) -> str:
    """The sign of a scene."""
    return SCENE_ICONS.get(key, "shapes")


def gateway_name(key: str) -> str:
    """What a way to pay is called."""
    return gettext(GATEWAYS[key]) if key in GATEWAYS else key


def step_says(kind: str, text: str) -> str:
    """One step of a price: `Your level: Gold`."""
    return gettext(STEPS[kind]) % {"text": text}


def booked_says(kind: str) -> str:
    """What an entry in the wallet was."""
    return gettext(BOOKED[kind]) if kind in BOOKED else gettext("Booked by the shop")


def wrong_answer_says(code: str) -> str:
    """What is wrong with an answer; "" when nothing is."""
    return gettext(WRONG_ANSWERS[code]) if code in WRONG_ANSWERS else ""


def reason_says(code: str) -> str:
    """Why something was rejected."""
    return gettext(REASONS[code])


def state_says(state: str) -> str:
    """How far an order is, in a word."""
    return gettext(STATES[state])


def arrival_says(minutes: int) -> str:
    """How soon after payment: `at once`, `within 30 minutes`."""
    if not minutes:
        return gettext("at once")
    return gettext("within %(length)s") % {"length": length_says(dt.timedelta(minutes=minutes))}


def left_says(until: dt.datetime) -> str:
    """How long until a moment: `12 minutes`; never less than one."""
    return length_says(until - clock.now())


def length_says(length: dt.timedelta) -> str:
    """`12 minutes`, `3 hours`, `2 days`: rounded up, in the largest unit that is whole enough."""
    minutes = max(1, -(-int(length.total_seconds()) // 60))
    if minutes <= 90:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = -(-minutes // 60)
    if hours <= 36:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    days = -(-hours // 24)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def moment_says(at: dt.datetime) -> str:
    """`14:05` today, `Nov. 21, 14:05` before, in the visitor's zone."""
    here = localtime(at)
    time = here.strftime("%H:%M")
    if here.date() == localtime(clock.now()).date():
        return time
    if here.year == localtime(clock.now()).year:
        return f"{date_format(here, 'MONTH_DAY_FORMAT')} {time}"
    return f"{here:%Y-%m-%d} {time}"


def shown_says(reason: str, found: Suggested, item: Item, scene: str) -> str:
    """Why a product is shown: the words under it."""
    if reason == "bought_often":
        n = found.times
        return ngettext("You bought it before", "You bought it %(n)s times", n) % {"n": n}
    return gettext(SHOWN[reason]) % {
        "less": price((found.was_fen or item.price_fen) - item.price_fen),
        "subject": item.subject,
        "because": found.because,
        "scene": scene,
    }
