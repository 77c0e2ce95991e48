"""In whose hands is an order? Its owner's, known by their cookie, or whoever has the link that a guest was given.

The link opens one order and no other, without signing in, for as long as nobody who signed in has claimed it. Views of
one order take `reference` or `token`, as the address names it, and pass both on untouched.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse

from liuke.interfaces.storefront.shop.visiting import (
    NobodyYet,
    ShopRequest,
    View,
    open_to_all,
    own_order,
    who,
)
from liuke.orders.models import Order
from liuke.orders.queries import guest_token, order_of_guest


def holders_only(view: View) -> View:
    """For whoever has bought here or came by a guest's link: others are sent to the door."""

    @wraps(view)
    def answer(request: ShopRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "token" not in kwargs and who(request) is None:
            raise NobodyYet
        return view(request, *args, **kwargs)

    return open_to_all(answer)


def held_order(request: ShopRequest, reference: str = "", token: str = "") -> Order:
    """The order that the address names, when it is the visitor's.

    Raises:
        UnknownOrder: there is none, it is someone else's, or the link opens nothing any more.
    """
    return order_of_guest(token) if token else own_order(request, reference)


def page_of(order: Order, *, reference: str = "", token: str = "") -> str:
    """Where the visitor sees the order: by its number, or by the link they came by."""
    if token:
        return reverse("shop:link", args=[token])
    return reverse("shop:order", args=[order.reference])


def link_of(request: ShopRequest, order: Order) -> str:
    """The whole address that opens a guest's order on any device."""
    return request.build_absolute_uri(reverse("shop:link", args=[guest_token(order)]))
