"""Orders: all of them, searched and by state; and the page of one."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from liuke.interfaces.console.filters import address, page_number
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.order_page import order_page
from liuke.interfaces.ui.order_words import ORDER_STATES
from liuke.orders.queries import find_orders, order_named

ROWS_A_PAGE = 30
SEARCH_LETTERS = 80


@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    """Every order, the last first: by state, by number, by phone number, by title. A whole number leads to its page."""
    given = request.GET
    text = given.get("search", "").replace("\x00", "").strip()[:SEARCH_LETTERS]
    state = given.get("state", "") if given.get("state") in ORDER_STATES else ""
    page = Paginator(find_orders(text, state), ROWS_A_PAGE).get_page(page_number(given))
    rows = list(page)
    if text and len(rows) == 1 and not state and _names(text, rows[0].reference):
        return redirect("console:order", rows[0].reference)
    kept = {"search": text, "state": state}

    def chip(key: str, name: str) -> dict[str, Any]:
        href = address("console:orders", search=text, state=key)
        return {"name": name, "href": href, "is_on": key == state}

    context = {
        "frame": frame_of(request, "orders"),
        "rows": [(order, list(order.lines.all())) for order in rows],
        "page": page,
        "kept": kept,
        "states": [
            chip("", gettext("All")),
            *(chip(key, gettext(name)) for key, name in ORDER_STATES.items()),
        ],
        "previous_href": address("console:orders", **kept, page=page.number - 1)
        if page.has_previous()
        else "",
        "next_href": address("console:orders", **kept, page=page.number + 1)
        if page.has_next()
        else "",
    }
    return render(request, "console/orders.html", context)


@require_GET
def order(request: HttpRequest, number: str) -> HttpResponse:
    """One order.

    Raises:
        UnknownOrder: none has this number.
    """
    return order_page(request, order_named(number))


def _names(text: str, reference: str) -> bool:
    return "".join(text.split()).replace("-", "").upper() == reference
