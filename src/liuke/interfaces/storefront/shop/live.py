"""Who may watch what under `/live/`? The same visitor, by the same cookies, who may open the page that streams."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest

from liuke.base.live import topic_of
from liuke.interfaces.storefront.shop.order_view import facts_of
from liuke.interfaces.storefront.shop.visiting import ShopRequest, look_who_is_here, who
from liuke.orders.errors import UnknownOrder
from liuke.orders.models import Order
from liuke.orders.queries import order_of

ORDER = "order"  # the topic of everything that happens to an order
_PATH = re.compile(r"/live/orders/([0-9A-Za-z-]{1,40})/")


@dataclass(frozen=True)
class Watch:
    """What a stream waits for. `visitor` is who is counted; `mark` asks the database what the page would show now."""

    topic: str
    visitor: str
    mark: Callable[[], str]


def watch_of(request: HttpRequest) -> Watch | None:
    """What this visitor may watch at this address; None for whatever is not theirs or does not exist."""
    found = _PATH.fullmatch(request.path)
    visiting = cast(ShopRequest, request)
    look_who_is_here(visiting)
    someone = who(visiting)
    if found is None or someone is None:
        return None
    person_id = someone.person_id
    try:
        order = order_of(person_id, found[1])
    except UnknownOrder:
        return None
    return Watch(topic_of(ORDER, order.pk), f"person:{person_id}", lambda: _mark(order.pk))


def _mark(order_id: int) -> str:
    return facts_of(Order.objects.get(pk=order_id)).mark
