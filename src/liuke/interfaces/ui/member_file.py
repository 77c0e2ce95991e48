"""Everything that is kept about one person, from every room that keeps something."""

from __future__ import annotations

from typing import Any

from liuke.analytics import queries as analytics
from liuke.delivery import queries as delivery
from liuke.engagement import queries as engagement
from liuke.membership import queries as membership
from liuke.orders import queries as orders
from liuke.payments import queries as payments
from liuke.people import queries as people
from liuke.people.models import Member


def file_of(member: Member) -> dict[str, Any]:
    """For a person who asks what is known about them; where they have several rows, by the reference of each."""
    rows = people.members_of(member.person_id)
    return {
        "people": people.file_of(member),
        "membership": membership.file_of(member.person_id),
        "orders": orders.file_of(member.person_id),
        "payments": payments.file_of(member.person_id),
        "delivery": delivery.file_of(member.person_id),
        "analytics": {row.reference: analytics.file_of(row) for row in rows},
        "engagement": {row.reference: engagement.file_of(row) for row in rows},
    }
