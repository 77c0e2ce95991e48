"""What are kinds, states and sources of goods called, and why was a line of card keys refused?"""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

KINDS = {
    "card_key": gettext_noop("Card key"),
    "top_up": gettext_noop("Top-up"),
    "agent_service": gettext_noop("Done by hand"),
}
KINDS_SAY = {
    "card_key": gettext_noop("A code that is handed over at once."),
    "top_up": gettext_noop("You credit the account the buyer names."),
    "agent_service": gettext_noop("You do something for the buyer."),
}
PRODUCT_STATES = {
    "draft": gettext_noop("Draft"),
    "listed": gettext_noop("On offer"),
    "hidden": gettext_noop("Hidden"),
}
SOURCES = {
    "official": gettext_noop("From the maker"),
    "authorised": gettext_noop("Authorised reseller"),
    "merchant": gettext_noop("The merchant's own"),
}
STOCK_KINDS = {
    "keys": gettext_noop("Card keys"),
    "count": gettext_noop("Counted"),
    "open": gettext_noop("Without end"),
    "bundle": gettext_noop("Bundle of parts"),
}
KEY_STATES = {
    "free": gettext_noop("In stock"),
    "held": gettext_noop("Set aside"),
    "delivered": gettext_noop("Sold"),
    "revoked": gettext_noop("Taken back"),
    "bad": gettext_noop("Does not work"),
}
MERCHANT_STATES = {
    "active": gettext_noop("Selling"),
    "paused": gettext_noop("Paused"),
    "closed": gettext_noop("Closed"),
}
FIELD_KINDS = {
    "text": gettext_noop("Text"),
    "phone": gettext_noop("Mobile number"),
    "choice": gettext_noop("Choice"),
    "secret": gettext_noop("Password, shown to nobody else"),
}
ACCESS_ROLES = {
    "buyer": gettext_noop("the buyer"),
    "operator": gettext_noop("operator"),
    "agent": gettext_noop("agent"),
    "merchant": gettext_noop("merchant"),
    "system": gettext_noop("the site itself"),
}
LINE_PROBLEMS = {
    "too_short": gettext_noop("line %(line)s: shorter than a card key can be"),
    "too_long": gettext_noop("line %(line)s: longer than a card key can be"),
    "unprintable": gettext_noop("line %(line)s: letters that cannot be printed"),
    "twice": gettext_noop("line %(line)s: the same as line %(other)s"),
    "known": gettext_noop("line %(line)s: this merchant has it already"),
}


def kind_name(key: str) -> str:
    """What a kind of product is called."""
    return gettext(KINDS[key])


def product_state_name(key: str) -> str:
    """Whether a product is offered."""
    return gettext(PRODUCT_STATES[key])


def source_name(key: str) -> str:
    """Where a product comes from."""
    return gettext(SOURCES[key])


def stock_kind_name(key: str) -> str:
    """How stock is kept."""
    return gettext(STOCK_KINDS[key])


def key_state_name(key: str) -> str:
    """Where a card key is."""
    return gettext(KEY_STATES[key])


def merchant_state_name(key: str) -> str:
    """Whether a merchant sells."""
    return gettext(MERCHANT_STATES[key])


def field_kind_name(key: str) -> str:
    """What a question of an order form asks for."""
    return gettext(FIELD_KINDS[key])


def access_role_name(key: str) -> str:
    """As what somebody looked at a card key."""
    return gettext(ACCESS_ROLES[key])


def line_problem(line: tuple[int, str, int]) -> str:
    """Why a line of a file of card keys was refused."""
    number, code, other = line
    return gettext(LINE_PROBLEMS[code]) % {"line": number, "other": other}
