"""Which orders are looked for by those who work here?"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from liuke.base import sealing
from liuke.orders.models import Line, Order
from liuke.orders.rules import ORDER_STATES
from liuke.people.rules import PHONE_PURPOSE, read_phone


def find_orders(text: str = "", state: str = "") -> QuerySet[Order]:
    """Orders, the last first: with a number or its beginning, of a phone number, or with a title that has the text."""
    found = Order.objects.select_related("member").prefetch_related("lines").order_by("-id")
    if state in ORDER_STATES:
        found = found.filter(state=state)
    if not text:
        return found
    number = "".join(text.split()).replace("-", "").upper()
    if number.startswith("LK") and number[2:6].isdecimal():
        return found.filter(reference__startswith=number)
    phone = read_phone(text)
    if phone is not None:
        return found.filter(person__phone_index=sealing.blind_index(phone, PHONE_PURPOSE))
    titled = Line.objects.filter(order=OuterRef("pk"), title__icontains=text)
    return found.filter(Exists(titled))
