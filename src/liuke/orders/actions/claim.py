"""Guests: a device that buys is a member without a number, until somebody signs in on it."""

from __future__ import annotations

from django.db import transaction

from liuke.base import sealing
from liuke.events.actions import publish
from liuke.orders import queries
from liuke.orders.errors import UnknownOrder
from liuke.orders.events import OrderClaimed
from liuke.orders.models import Order
from liuke.orders.rules import GUEST_PREFIX
from liuke.people.actions import enrol
from liuke.people.models import Member
from liuke.people.rules import SITE_SOURCE


@transaction.atomic
def join_as_guest(*, device: str) -> Member:
    """The member that a device is, made when it buys for the first time. `device` is its random name."""
    name = _name_of(device)
    known = Member.objects.filter(source=SITE_SOURCE, external_id=name)
    guest = known.first()
    if guest is None:
        enrol(source=SITE_SOURCE, names=[name])
        guest = known.get()
    return guest


@transaction.atomic
def claim_orders(*, member: Member, device: str) -> int:
    """Whoever signed in on a device has its guest's orders from now on; how many. Again changes nothing."""
    guest = Member.objects.filter(source=SITE_SOURCE, external_id=_name_of(device)).first()
    if guest is None:
        return 0
    orders = list(
        Order.objects.select_for_update(no_key=True)
        .filter(member=guest, guest_index__isnull=False)
        .order_by("id")
    )
    for order in orders:
        _give(order, member)
    return len(orders)


@transaction.atomic
def claim_by_link(*, member: Member, token: str) -> Order:
    """Whoever signed in and holds a guest's link has its order from now on; the link opens nothing any more.

    Raises:
        UnknownOrder: it opens nothing.
    """
    found = queries.order_of_guest(token)
    order = (
        Order.objects.select_for_update(no_key=True)
        .filter(pk=found.pk, guest_index__isnull=False)
        .first()
    )
    if order is None:  # somebody was quicker
        raise UnknownOrder
    _give(order, member)
    return order


def _give(order: Order, member: Member) -> None:
    order.member, order.person_id = member, member.person_id
    order.guest_index, order.network_index = None, ""
    if Order.objects.filter(person_id=member.person_id, key=order.key).exists():
        order.key = order.reference  # the same form went out again after signing in
    order.save(update_fields=["member", "person", "key", "guest_index", "network_index"])
    left = order.payable_fen - order.refunded_fen
    publish(
        OrderClaimed(
            order_id=order.pk,
            reference=order.reference,
            person_id=order.person_id,
            completed_fen=left if order.state == "completed" else None,
        ),
        member=member.pk,
    )


def _name_of(device: str) -> str:
    """The device's name is as good as a password for its orders: only a fingerprint is kept."""
    return GUEST_PREFIX + sealing.blind_index(device, "orders.device")
