"""Show a delivered key to whom it belongs, and remember that they tried it."""

from __future__ import annotations

from django.db import transaction

from liuke.base import clock
from liuke.base.prepared import Prepared, run
from liuke.base.secret_text import SecretText
from liuke.catalog.actions import reveal_key
from liuke.delivery.errors import KeyReturned, NotSeenYet, UnknownDelivery
from liuke.delivery.models import DeliveredKey
from liuke.people.models import Member


@transaction.atomic
def reveal(*, key_id: int, member: Member, ip: str = "") -> SecretText:
    """The plain text of a delivered key (`key_id` is the row of the delivery) for its owner; that is written down.

    Raises:
        UnknownDelivery: there is none, or it is someone else's.
        KeyReturned: its price went back.
    """
    key = _alive(key_id, member)
    text = reveal_key(key_id=key.key_id, actor=member, role="buyer", ip=ip)
    if key.revealed_at is None:
        run(_REVEALED, [clock.now(), key.pk])
    return text


@transaction.atomic
def mark_tried(*, key_id: int, member: Member) -> None:
    """The member says that they used the key. Again changes nothing.

    Raises:
        UnknownDelivery: there is none, or it is someone else's.
        KeyReturned: its price went back.
        NotSeenYet: it was not shown to them.
    """
    key = _alive(key_id, member)
    if key.revealed_at is None:
        raise NotSeenYet
    DeliveredKey.objects.filter(pk=key.pk, tried_at=None).update(tried_at=clock.now())


_REVEALED = "UPDATE delivery_delivered_key SET revealed_at = %s WHERE id = %s"
_HELD = Prepared(
    lambda key_id, person_id: (
        DeliveredKey.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk=key_id, delivery__order__person_id=person_id)
        .select_related("delivery__order")
    ),
    int,
    int,
)


def _alive(key_id: int, member: Member) -> DeliveredKey:
    """The key, held so that it is not returned at the moment it is shown."""
    key = _HELD.first(key_id, member.person_id)
    if key is None:
        raise UnknownDelivery
    if key.returned_at is not None or key.delivery.order.state == "refunded":
        raise KeyReturned
    return key
