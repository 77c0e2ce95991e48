"""Which merchants are there, and for which one does somebody work?"""

from __future__ import annotations

from django.db.models import QuerySet

from liuke.base import ids
from liuke.base.audit import Invariant
from liuke.merchants.errors import UnknownMerchant
from liuke.merchants.models import Merchant, MerchantStaff
from liuke.people.models import Login


def merchants() -> QuerySet[Merchant]:
    """Every merchant, by name."""
    return Merchant.objects.order_by("name")


def merchant_by_reference(text: str) -> Merchant:
    """The merchant a reference names, however it was typed.

    Raises:
        UnknownMerchant: none has it.
    """
    reference = ids.read_reference(text)
    merchant = Merchant.objects.filter(reference=reference).first() if reference else None
    if merchant is None:
        raise UnknownMerchant
    return merchant


def merchant_of(login: Login) -> Merchant | None:
    """The merchant this login works for; None for everyone else."""
    staff = MerchantStaff.objects.select_related("merchant").filter(login=login).first()
    return staff.merchant if staff is not None and login.role == "merchant" else None


def staff_of(merchant: Merchant) -> QuerySet[MerchantStaff]:
    """Those who work for a merchant, oldest first."""
    return MerchantStaff.objects.filter(merchant=merchant).select_related("login").order_by("id")


def invariants() -> list[Invariant]:
    """What this room promises about its tables."""
    return [
        Invariant(
            "merchants.staff_have_their_role",
            "A login of role merchant works for exactly one merchant, and nobody else works for one",
            "SELECT l.id FROM people_login l LEFT JOIN merchants_merchant_staff s ON s.login_id = l.id"
            " WHERE (l.role = 'merchant') <> (s.id IS NOT NULL)",
        ),
    ]
