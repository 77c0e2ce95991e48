"""Merchants and their staff, made through the actions."""

from __future__ import annotations

from liuke.merchants import actions
from liuke.merchants.models import Merchant
from liuke.people.models import Login

PASSWORD = "correct horse battery"


def merchant(name: str = "山海卡铺", *, fee: int = 300) -> Merchant:
    """A merchant that sells; the platform keeps 3 percent."""
    return actions.open_merchant(name=name, fee_permyriad=fee, by=None)


def staff(of: Merchant, name: str = "店员小周") -> Login:
    """Someone who works for a merchant, with PASSWORD."""
    return actions.add_staff(reference=of.reference, name=name, password=PASSWORD, by=None)
