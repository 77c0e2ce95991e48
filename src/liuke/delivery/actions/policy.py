"""When a rejection is granted by itself."""

from __future__ import annotations

from django.db import DataError, IntegrityError, transaction

from liuke.base import clock
from liuke.delivery import queries
from liuke.delivery.errors import BadDeliveryPolicy
from liuke.delivery.models import DeliveryPolicy
from liuke.people.actions import record_act
from liuke.people.models import Login


def set_delivery_policy(*, by: Login | None, **fields: int) -> DeliveryPolicy:
    """Put a new version in force: the present one with `fields` changed.

    Raises:
        BadDeliveryPolicy: an unknown field, or numbers that make no sense.
    """
    current = queries.policy()
    kept = {
        field.name: getattr(current, field.name)
        for field in DeliveryPolicy._meta.concrete_fields
        if field.name not in ("version", "set_at")
    }
    if fields.keys() - kept.keys():
        raise BadDeliveryPolicy
    policy = DeliveryPolicy(**{**kept, **fields}, set_at=clock.now())
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
            about = f"delivery policy {policy.version}"
            record_act(by=by, verb="policy.delivery", about=about, **fields)
    except (IntegrityError, DataError) as refused:
        raise BadDeliveryPolicy from refused
    return policy
