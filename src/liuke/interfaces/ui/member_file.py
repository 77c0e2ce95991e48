"""Everything that is kept about one member, from every room that keeps something."""

from __future__ import annotations

from typing import Any

from liuke.analytics import queries as analytics
from liuke.engagement import queries as engagement
from liuke.people import queries as people
from liuke.people.models import Member


def file_of(member: Member) -> dict[str, Any]:
    """Plain data, a key for each room: for a member who asks what is known about them."""
    return {
        "people": people.file_of(member),
        "analytics": analytics.file_of(member),
        "engagement": engagement.file_of(member),
    }
