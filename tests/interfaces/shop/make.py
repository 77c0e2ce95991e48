"""Visitors of the shop, doing by requests what people do by taps."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client

from liuke.catalog.models import Variant
from liuke.orders.models import Order
from liuke.people.models import Member
from tests.interfaces.storefront.make import browser, code_of, member, sign_in

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
