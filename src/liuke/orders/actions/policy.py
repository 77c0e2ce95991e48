"""What may be ordered, and for how long an order waits."""

from __future__ import annotations

from django.db import DataError, IntegrityError, transaction

from liuke.base import clock
from liuke.orders import queries
from liuke.orders.errors import BadOrderPolicy
from liuke.orders.models import OrderPolicy
from liuke.people.actions import record_act
from liuke.people.models import Login


def set_order_policy(*, by: Login | None, **fields: int) -> OrderPolicy:
    """Put a new version in force: the present one with `fields` changed. Orders that wait keep their time.

    Raises:
        BadOrderPolicy: an unknown field, or numbers that make no sense.
    """
    current = queries.policy()
    kept = {
        field.name: getattr(current, field.name)
        for field in OrderPolicy._meta.concrete_fields
        if field.name not in ("version", "set_at")
    }
    if fields.keys() - kept.keys():
        raise BadOrderPolicy
    policy = OrderPolicy(**{**kept, **fields}, set_at=clock.now())
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
            record_act(
                by=by, verb="policy.orders", about=f"order policy {policy.version}", **fields
            )
    except (IntegrityError, DataError) as refused:
        raise BadOrderPolicy from refused
    return policy
