"""What was ordered, by whom, and what did they tell us?"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet, Sum

from liuke.base import ids, sealing
from liuke.base.prepared import Prepared
from liuke.orders.errors import UnknownOrder
from liuke.orders.models import LastAnswers, Line, Order
from liuke.orders.rules import GUEST_PREFIX
from liuke.people.models import Member
from liuke.people.rules import SITE_SOURCE

SECRETS_PURPOSE = "orders.secrets"
_GUEST, _GUEST_INDEX = "orders.guest", "orders.guest_index"
_BOUGHT = Prepared(
    lambda person_id: Order.objects.filter(person_id=person_id, paid_at__isnull=False).exclude(
        state="refunded"
    )[:1],
    int,
)


def order_named(text: str) -> Order:
    """The order of that number, however it was typed; for staff and for the rooms above.

    Raises:
        UnknownOrder: there is none.
    """
    return _one(Order.objects.filter(reference=ids.read_order_number(text) or ""))


def order_of(person_id: int, text: str) -> Order:
    """A person's order of that number.

    Raises:
        UnknownOrder: there is none, or it is someone else's.
    """
    return _one(
        Order.objects.filter(reference=ids.read_order_number(text) or "", person_id=person_id)
    )


def order_of_guest(token: str) -> Order:
    """The order that a guest's link opens; no longer once it was claimed by someone signed in.

    Raises:
        UnknownOrder: the link opens nothing.
    """
    return _one(Order.objects.filter(guest_index=guest_index(token)))


def _one(found: QuerySet[Order]) -> Order:
    order = found.select_related("member").first()
    if order is None:
        raise UnknownOrder
    return order


def orders_of(person_id: int) -> QuerySet[Order]:
    """A person's orders, the last first."""
    return Order.objects.filter(person_id=person_id).order_by("-id")


def lines_of(order_id: int) -> QuerySet[Line]:
    """What is in an order, in the order it was named; gifts last."""
    return (
        Line.objects.filter(order_id=order_id)
        .select_related("product", "variant", "merchant")
        .order_by("number")
    )


def quantities_of(order_ids: Collection[int]) -> dict[int, int]:
    """Product → how many of it these orders have together, gifts apart."""
    lines = Line.objects.filter(order_id__in=order_ids, is_gift=False).order_by("product_id")
    return dict(lines.values_list("product_id").annotate(wanted=Sum("quantity")))


def has_bought(person_id: int | None) -> bool:
    """Whether a person has paid for an order that was not refunded."""
    return person_id is not None and bool(_BOUGHT(person_id))


def last_answers(person_id: int, product_id: int) -> dict[str, str]:
    """What a person answered to a product's questions the last time; empty when never."""
    told = LastAnswers.objects.filter(person_id=person_id, product_id=product_id).first()
    return dict(told.answers) if told else {}


def secrets_of(line: Line) -> dict[str, str]:
    """The secret answers of a line in plain, for whoever does the work; empty once they were wiped."""
    if line.secrets_sealed is None:
        return {}
    told = sealing.unseal(bytes(line.secrets_sealed), f"{SECRETS_PURPOSE}:{line.order_id}")
    return dict(json.loads(told))


# Guests -------------------------------------------------------------------------------------------


def is_guest(member: Member) -> bool:
    """Whether this member is a device that nobody has signed in on."""
    return member.source == SITE_SOURCE and member.external_id.startswith(GUEST_PREFIX)


def guest_token(order: Order) -> str:
    """What opens a guest's order: 128 bits made from its number and the master key, kept nowhere."""
    return sealing.blind_index(order.reference, _GUEST)


def guest_index(token: str) -> str:
    """What is kept of a guest's token."""
    return sealing.blind_index(token, _GUEST_INDEX)


# Everything about one person ----------------------------------------------------------------------


def file_of(person_id: int) -> list[dict[str, Any]]:
    """Every order of a person as plain data, for the member, who may ask for it. Secrets are only said to be there."""
    found = orders_of(person_id).prefetch_related("lines").order_by("id")
    return [
        {
            "number": order.reference,
            "state": order.state,
            "payable_fen": order.payable_fen,
            "refunded_fen": order.refunded_fen,
            "placed_at": order.placed_at.isoformat(),
            "paid_at": order.paid_at.isoformat() if order.paid_at else None,
            "lines": [
                {
                    "title": line.title,
                    "variant": line.variant_name,
                    "quantity": line.quantity,
                    "total_fen": line.total_fen,
                    "price": line.steps,
                    "answers": line.answers,
                    "has_secret_answers": line.secrets_sealed is not None,
                }
                for line in order.lines.all()
            ],
        }
        for order in found
    ]
