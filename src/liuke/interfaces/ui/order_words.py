"""How do those who work here speak of orders, deliveries, money, and of what needs a person?"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext, gettext_noop, ngettext

from liuke.base import clock
from liuke.interfaces.ui.figures import price

ORDER_STATES = {
    "placed": gettext_noop("Not paid yet"),
    "paid": gettext_noop("To be delivered"),
    "delivered": gettext_noop("Delivered"),
    "completed": gettext_noop("Completed"),
    "cancelled": gettext_noop("Cancelled"),
    "refunded": gettext_noop("Refunded"),
}
DELIVERY_STATES = {
    "waiting": gettext_noop("Waits for hands"),
    "delivered": gettext_noop("Delivered"),
    "accepted": gettext_noop("Was accepted"),
    "returned": gettext_noop("Returned"),
}
_LOOKS = {
    "placed": "silent",
    "paid": "new",
    "waiting": "new",
    "open": "silent",
    "pending": "silent",
    "delivered": "active",
    "completed": "active",
    "accepted": "active",
    "done": "active",
    "odd": "hot",
    "failed": "hot",
}
GATEWAYS = {
    "wallet": gettext_noop("Balance"),
    "sandbox": gettext_noop("Sandbox (no real money)"),
}
PAYMENT_STATES = {
    "open": gettext_noop("Open"),
    "paid": gettext_noop("Received"),
    "closed": gettext_noop("Closed"),
    "odd": gettext_noop("Does not fit"),
}
REFUND_STATES = {
    "pending": gettext_noop("On its way"),
    "done": gettext_noop("Arrived"),
    "failed": gettext_noop("The gateway refuses"),
}
STEPS = {
    "list": gettext_noop("List price"),
    "level": gettext_noop("Level: %(text)s"),
    "special": gettext_noop("Special price: %(text)s"),
    "quantity": gettext_noop("Price for the quantity"),
    "coupon": gettext_noop("Coupon: %(text)s"),
    "gift": gettext_noop("Gift: %(text)s"),
}
WHYS = {
    "does_not_work": gettext_noop("It does not work"),
    "already_used": gettext_noop("It was used already"),
    "wrong_item": gettext_noop("It is something else"),
    "not_as_described": gettext_noop("It is not as described"),
    "too_late": gettext_noop("It comes too late"),
    "out_of_stock": gettext_noop("Paid too late: sold out meanwhile"),
    "refunded": gettext_noop("All of it was refunded"),
    "unknown_order": gettext_noop("A payment that we never asked for"),
    "wrong_amount": gettext_noop("The amount is not the order's"),
    "wrong_currency": gettext_noop("Another currency"),
    "wrong_seller": gettext_noop("Another seller's payment"),
    "wrong_app": gettext_noop("Another app's payment"),
    "other_trade": gettext_noop("One payment, two numbers of the gateway"),
}
CANCELS = {
    "member": gettext_noop("Cancelled by the buyer"),
    "staff": gettext_noop("Cancelled by the shop"),
    "expired": gettext_noop("Not paid in time"),
}
ACCOUNTS = {
    "gateway_clearing": gettext_noop("At the gateway: %(owner)s"),
    "bank": gettext_noop("Bank"),
    "wallet": gettext_noop("Balance of the buyer"),
    "escrow": gettext_noop("Escrow of the order"),
    "merchant_available": gettext_noop("Earned by %(owner)s"),
    "merchant_deposit": gettext_noop("Deposit of %(owner)s"),
    "compensation_fund": gettext_noop("Compensation fund"),
    "refund_due": gettext_noop("Promised back to the buyer"),
    "payout_in_transit": gettext_noop("On its way to a merchant's bank"),
    "suspense": gettext_noop("In suspense: %(owner)s"),
    "platform_fee": gettext_noop("Our fee"),
    "gateway_fee": gettext_noop("The gateway's fee"),
    "coupon_subsidy": gettext_noop("Our part of the price"),
    "sla_compensation": gettext_noop("Paid for lateness"),
    "write_off": gettext_noop("Written off"),
}
ENTRIES = {
    "payment": gettext_noop("The money came in"),
    "refund_due": gettext_noop("Money promised back"),
    "refund": gettext_noop("Money given back"),
    "release": gettext_noop("The merchants got their money"),
    "subsidy_back": gettext_noop("Our part of the price came back"),
    "suspense": gettext_noop("Money that does not fit"),
}


def order_state_name(state: str) -> str:
    """How far an order is."""
    return gettext(ORDER_STATES[state])


def delivery_state_name(state: str) -> str:
    """How far a line is."""
    return gettext(DELIVERY_STATES[state])


def payment_state_name(state: str) -> str:
    """How far a payment is."""
    return gettext(PAYMENT_STATES[state])


def refund_state_name(state: str) -> str:
    """Where money on its way back is."""
    return gettext(REFUND_STATES[state])


def state_look(state: str) -> str:
    """The colour of a chip that says where something is."""
    return _LOOKS.get(state, "churned")


def gateway_name(key: str) -> str:
    """What a way to pay is called."""
    return gettext(GATEWAYS[key]) if key in GATEWAYS else key


def why_says(why: str) -> str:
    """Why something was rejected, given back or does not fit; what a person wrote as it is."""
    return gettext(WHYS[why]) if why in WHYS else why


def cancel_says(reason: str) -> str:
    """Who gave an order up."""
    return gettext(CANCELS[reason])


def account_says(kind: str, owner: str) -> str:
    """What an account is called, beside an order; `owner` as a person calls them."""
    return gettext(ACCOUNTS[kind]) % {"owner": owner} if kind in ACCOUNTS else kind


def entry_says(kind: str) -> str:
    """What an entry in the book was."""
    return gettext(ENTRIES[kind]) if kind in ENTRIES else kind


def price_step_says(step: list[str]) -> str:
    """One step from the list price to what was paid: `Level: Gold`."""
    kind, text, _ = step
    return gettext(STEPS[kind]) % {"text": text}


def signed_price(amount_fen: int) -> str:
    """`+¥9.50`, `−¥9.50`: what a step changes."""
    return price(amount_fen).replace("-", "−") if amount_fen < 0 else f"+{price(amount_fen)}"


def moment_text(at: dt.datetime) -> str:
    """`2026-11-21 14:05`, by the site's clock."""
    return f"{at.astimezone(clock.site_zone()):%Y-%m-%d %H:%M}"


def length_says(length: dt.timedelta) -> str:
    """`12 minutes`, `3 hours`, `2 days`: rounded down, at least a minute."""
    minutes = max(1, int(length.total_seconds()) // 60)
    if minutes < 90:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 36:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    return ngettext("%(n)s day", "%(n)s days", hours // 24) % {"n": hours // 24}


def promise_says(promised_at: dt.datetime) -> str:
    """`due in 2 hours`, `3 hours late`."""
    left = promised_at - clock.now()
    if left > dt.timedelta():
        return gettext("due in %(length)s") % {"length": length_says(left)}
    return gettext("%(length)s late") % {"length": length_says(-left)}
