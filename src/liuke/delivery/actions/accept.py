"""The member is content with a line, by word or because the days to say otherwise are over."""

from __future__ import annotations

from django.db import transaction

from liuke.base import clock
from liuke.base.prepared import Prepared, run
from liuke.delivery import queries
from liuke.delivery.actions.settle import held_deliveries, is_open, move_on
from liuke.delivery.errors import AlreadySettled, NotDelivered, RejectionOpen
from liuke.delivery.models import Delivery, Rejection
from liuke.people.models import Member

ACCEPT_AT_ONCE = 200
_OPEN = Prepared(
    lambda delivery_id: Rejection.objects.filter(delivery_id=delivery_id, state="open")[:1], int
)
_ACCEPTED = """
UPDATE delivery_delivery SET state = 'accepted', accepted_at = %s, is_accepted_by_time = %s WHERE id = %s
"""


@transaction.atomic
def accept_delivery(*, line_id: int, member: Member) -> Delivery:
    """The member takes a line as it is; with the last one of the order the merchants get their money.

    Raises:
        UnknownDelivery: there is none, or it is someone else's.
        NotDelivered: it is still being worked on.
        AlreadySettled: it was accepted or returned before.
        RejectionOpen: a person is deciding about what is wrong with it.
    """
    return _accept(line_id, person_id=member.person_id, is_by_time=False)


def accept_overdue(*, limit: int = ACCEPT_AT_ONCE) -> int:
    """Accept what nobody complained about in time, each in a transaction of its own; how many."""
    due = queries.overdue(clock.now()).values_list("line_id", flat=True)
    done = 0
    for line_id in list(due[:limit]):
        try:
            with transaction.atomic():
                _accept(line_id, person_id=None, is_by_time=True)
            done += 1
        except (AlreadySettled, RejectionOpen):  # the member was quicker
            continue
    return done


def _accept(line_id: int, *, person_id: int | None, is_by_time: bool) -> Delivery:
    delivery, *others = held_deliveries(line_id, person_id)
    if not is_open(delivery):
        raise AlreadySettled
    if delivery.state == "waiting":
        raise NotDelivered
    if _OPEN(delivery.pk):
        raise RejectionOpen
    delivery.state, delivery.accepted_at = "accepted", clock.now()
    delivery.is_accepted_by_time = is_by_time
    run(_ACCEPTED, [delivery.accepted_at, is_by_time, delivery.pk])
    move_on(delivery.order, [delivery, *others])
    return delivery
