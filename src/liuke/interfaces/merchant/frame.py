"""What stands around every page of a merchant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from liuke.delivery.queries import waiting_for_hands
from liuke.interfaces.merchant.sessions import MerchantRequest

WAYS = {
    "orders": ("merchant:orders", gettext_noop("Orders"), "receipt-text"),
    "products": ("merchant:products", gettext_noop("Products"), "package"),
    "account": ("merchant:account", gettext_noop("Account"), "key-round"),
}


@dataclass(frozen=True)
class Link:
    """A page, whether we are there, and how much waits there."""

    name: str
    icon: str
    href: str
    is_here: bool
    count: int = 0


def page(
    request: MerchantRequest, template: str, here: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    """A page inside the merchant's frame."""
    waiting = waiting_for_hands(request.merchant).count()
    links = [
        Link(gettext(name), icon, reverse(way), key == here, waiting if key == "orders" else 0)
        for key, (way, name, icon) in WAYS.items()
    ]
    frame = {"links": links, "merchant": request.merchant, "login": request.login}
    return render(request, template, {"frame": frame, **more}, status=status)
