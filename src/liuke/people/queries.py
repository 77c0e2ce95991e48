"""Who is it?"""

from __future__ import annotations

from django.db.models import QuerySet

from liuke.base import ids
from liuke.base.audit import Invariant
from liuke.people.errors import UnknownMember
from liuke.people.models import Login, Member


def member_by_reference(text: str) -> Member:
    """The member a reference names, however it was typed.

    Raises:
        UnknownMember: nobody has it, or it cannot be a reference.
    """
    reference = ids.read_reference(text)
    member = Member.objects.filter(reference=reference).first() if reference else None
    if member is None:
        raise UnknownMember
    return member


def logins() -> QuerySet[Login]:
    """Everyone who may sign in, oldest first."""
    return Login.objects.order_by("id")


def invariants() -> list[Invariant]:
    """What this room promises about its tables."""
    return [
        Invariant(
            "people.phone_is_sealed",
            "A member known by phone has no plain number anywhere in their row",
            "SELECT id FROM people_member WHERE external_id ~ '^([+]?86)?[ -]?1[3-9][0-9]{9}$'"
            " OR (phone_sealed IS NOT NULL AND length(phone_sealed) < 29)",
        ),
        Invariant(
            "people.reference_has_its_check_letter",
            "Every member reference uses the safe alphabet",
            "SELECT id FROM people_member WHERE reference !~ '^[2-9A-HJKMNP-RT-Y]{12}$'",
        ),
    ]
