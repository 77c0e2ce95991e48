"""Orders of whoever is here: the list, and the page of one, which moves by itself."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from liuke.interfaces.storefront.shop import shelf, showing, words
from liuke.interfaces.storefront.shop.holding import held_order, holders_only, link_of, page_of
from liuke.interfaces.storefront.shop.order_view import Facts, facts_of, shown
from liuke.interfaces.storefront.shop.showing import Strip
from liuke.interfaces.storefront.shop.visiting import (
    ShopRequest,
    members_only,
    owners_only,
    who,
)
from liuke.membership.queries import pays_percent_of
from liuke.orders.actions import claim_by_link
from liuke.orders.models import Line, Order
from liuke.orders.queries import orders_of

PAGE = 20
BOUGHT = ("paid", "delivered", "completed")


@dataclass(frozen=True)
class Row:
    """An order in a list, called by the first thing in it."""

    order: Order
    line: Line
    more: int
    state: str

    @property
    def is_waiting(self) -> bool:
        """Whether its owner has something to do: pay, or say whether it is good."""
        return self.order.state in ("placed", "delivered")


@owners_only
@require_safe
def orders(request: ShopRequest) -> HttpResponse:
    """One's orders, the last first; what waits to be paid on top."""
    someone = who(request)
    assert someone is not None
    start = _page(request) * PAGE
    mine = orders_of(someone.person_id)
    waiting = mine.filter(state="placed")
    others = list(mine.exclude(state="placed")[start : start + PAGE + 1])
    first = list(waiting) if not start else []
    context = {
        "here": "orders",
        "rows": _rows([*first, *others[:PAGE]]),
        "next_page": _page(request) + 2 if len(others) > PAGE else 0,
        "is_guest": request.member is None,
    }
    return render(request, "store/orders.html", context)


@holders_only
@require_safe
def order(request: ShopRequest, **named: str) -> HttpResponse:
    """One order.

    Raises:
        UnknownOrder: there is none, it is someone else's, or the link opens nothing any more.
    """
    return order_page(request, held_order(request, **named), token=named.get("token", ""))


@members_only
@require_POST
def claim(request: ShopRequest, token: str) -> HttpResponse:
    """Take a guest's order by its link: it is the member's from then on, and the link opens nothing.

    Raises:
        UnknownOrder: the link opens nothing.
    """
    assert request.member is not None
    order = claim_by_link(member=request.member, token=token)
    messages.success(request, gettext("It is among your orders now."))
    return HttpResponseRedirect(page_of(order))


def order_page(
    request: ShopRequest,
    order: Order,
    *,
    plain: tuple[int, str] | None = None,
    token: str = "",
) -> HttpResponse:
    """The page of an order; `plain` is (row of a delivered key, its text) for the answer to a tap on it."""
    is_guests = order.guest_index is not None
    facts = facts_of(order)
    context = {
        "here": "orders",
        "o": shown(facts, plain),
        "strips": _beside(request, facts),
        "base": page_of(order, token=token),
        "token": token,
        "is_guest": is_guests,
        "link": link_of(request, order) if is_guests and not token else "",
    }
    return render(request, "store/order.html", context)


def _beside(request: ShopRequest, facts: Facts) -> tuple[Strip, ...]:
    """What goes with the order, once it is paid and while it stands."""
    if facts.order.state not in BOUGHT:
        return ()
    pays = pays_percent_of(request.member.pk) if request.member else shelf.FULL_PRICE
    return showing.beside_order(request, [line.product_id for line in facts.lines], pays)


def _rows(orders: list[Order]) -> list[Row]:
    lines: dict[int, list[Line]] = {}
    found = Line.objects.filter(order__in=orders, is_gift=False).select_related("product")
    for line in found.order_by("number"):
        lines.setdefault(line.order_id, []).append(line)
    return [
        Row(order, lines[order.pk][0], len(lines[order.pk]) - 1, words.state_says(order.state))
        for order in orders
        if order.pk in lines
    ]


def _page(request: ShopRequest) -> int:
    number = request.GET.get("page", "1")
    is_number = number.isascii() and number.isdecimal() and len(number) < 5
    return max(1, int(number)) - 1 if is_number else 0
