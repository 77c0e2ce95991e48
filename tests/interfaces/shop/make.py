"""Visitors of the shop, doing by requests what people do by taps."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.db.models import Model
from django.http import HttpResponse
from django.test import Client

from liuke.catalog.models import Hold, KeyAccess, Variant
from liuke.delivery.models import Delivery, Rejection
from liuke.events.models import Event
from liuke.ledger.models import Entry
from liuke.orders.models import Order
from liuke.payments.models import Payment, Refund
from liuke.people.models import Member
from tests.interfaces.storefront.make import ask, browser, code_of, enter, member, sign_in
from tests.people.make import Phone

__all__ = [
    "browser",
    "buy",
    "code_of",
    "fields",
    "last_order",
    "member",
    "sheet",
    "sign_in",
    "text",
]

_INPUT = re.compile(r"<input ([^>]+)>")
_WORD = re.compile(r'([a-z-]+)="([^"]*)"')


def address(variant: Variant, **more: Any) -> str:
    """Where the sheet of a variant is."""
    told = "".join(f"&{name}={value}" for name, value in more.items())
    return f"/shop/p/{variant.product.reference}/buy/?v={variant.reference}{told}"


def sheet(client: Client, variant: Variant, **more: Any) -> dict[str, str]:
    """Open the sheet: what a browser would send from it."""
    answer = client.get(address(variant, **more))
    assert answer.status_code == 200, answer.status_code
    return fields(answer)


def fields(answer: HttpResponse) -> dict[str, str]:
    """The form of a page as a browser would send it: hidden and typed fields, and what is chosen."""
    form: dict[str, str] = {}
    for tag in _INPUT.findall(answer.content.decode()):
        word = dict(_WORD.findall(tag))
        is_on = " checked" in tag or word.get("type") not in ("radio", "checkbox")
        if "name" in word and is_on and word.get("type") != "search":
            form[word["name"]] = unescape(word.get("value", ""))
    return form


def buy(client: Client, variant: Variant, **changed: Any) -> HttpResponse:
    """Open the sheet and press its last button, with some fields changed."""
    form = {**sheet(client, variant), "do": "pay", **changed}
    return client.post(address(variant), form)


def last_order(of: Member | None = None) -> Order:
    """The order that was placed last, by anybody or by one member."""
    found = Order.objects.all() if of is None else Order.objects.filter(person=of.person)
    return found.select_related("member").latest("id")


def text(answer: HttpResponse) -> str:
    """What a page says, without its tags."""
    bare = re.sub(r"<(?:script|style).*?</(?:script|style)>|<[^>]+>", " ", answer.content.decode())
    return " ".join(unescape(bare).split())


def world() -> dict[str, int]:
    """How much of everything there is: a refusal leaves it as it was."""
    rows: tuple[type[Model], ...] = (
        Order, Payment, Refund, Entry, Hold, KeyAccess, Delivery, Rejection, Event, Member
    )  # fmt: skip
    return {each.__name__: each._default_manager.count() for each in rows}


def page_of(order: Order) -> str:
    """Where the page of an order is."""
    return f"/shop/orders/{order.reference}/"


def ask_and_enter(client: Client, phone: Phone, number: str, **more: str) -> HttpResponse:
    """Sign in on this browser, whatever it did before."""
    assert ask(client, number, **more).status_code == 302
    return enter(client, code_of(phone), **more)
