"""Orders of whoever is here: the list, and the page of one, which moves by itself."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from liuke.interfaces.storefront.shop import words
from liuke.interfaces.storefront.shop.order_view import facts_of, shown
from liuke.interfaces.storefront.shop.visiting import (
    ShopRequest,
    own_order,
    owners_only,
    who,
)
from liuke.orders.models import Line, Order
from liuke.orders.queries import orders_of

PAGE = 20


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


@owners_only
@require_safe
def order(request: ShopRequest, reference: str) -> HttpResponse:
    """One order.

    Raises:
        UnknownOrder: there is none, or it is someone else's.
    """
    return order_page(request, own_order(request, reference))


def order_page(
    request: ShopRequest, order: Order, *, plain: tuple[int, str] | None = None, status: int = 200
) -> HttpResponse:
    """The page of an order; `plain` is (row of a delivered key, its text) for the answer to a tap on it."""
    context = {
        "here": "orders",
        "o": shown(facts_of(order), plain),
        "is_guest": request.member is None,
    }
    return render(request, "store/order.html", context, status=status)


def _rows(orders: list[Order]) -> list[Row]:
    lines: dict[int, list[Line]] = {}
    for line in Line.objects.filter(order__in=orders, is_gift=False).order_by("number"):
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
