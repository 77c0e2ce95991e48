"""Open a merchant, agree on the fee, stop and go on selling, and let their staff in."""

from __future__ import annotations

from django.db import transaction

from liuke.base import clock, ids
from liuke.merchants.errors import (
    BadFee,
    BadMerchantName,
    MerchantClosed,
    MerchantNameTaken,
    UnknownMerchant,
)
from liuke.merchants.models import Merchant, MerchantStaff
from liuke.merchants.rules import FEE_PERMYRIAD_MAX, NAME_LETTERS, REFERENCE_LETTERS
from liuke.people.actions import open_login, record_act
from liuke.people.models import Login


@transaction.atomic
def open_merchant(*, name: str, fee_permyriad: int, by: Login | None) -> Merchant:
    """Take in a new supplier; the platform keeps `fee_permyriad` ten-thousandths of each sale.

    Raises:
        BadFee: less than nothing, or more than half.
        BadMerchantName: empty or too long.
        MerchantNameTaken: another one is called so.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_LETTERS or not name.isprintable():
        raise BadMerchantName(letters=NAME_LETTERS)
    if Merchant.objects.filter(name=name).exists():
        raise MerchantNameTaken(name=name)
    merchant = Merchant.objects.create(
        reference=ids.new_reference(REFERENCE_LETTERS),
        name=name,
        fee_permyriad=_checked(fee_permyriad),
        opened_at=clock.now(),
    )
    record_act(by=by, verb="merchant.open", about=merchant.reference, name=name, fee=fee_permyriad)
    return merchant


@transaction.atomic
def set_fee(*, reference: str, fee_permyriad: int, by: Login | None) -> None:
    """Keep another share of later sales, in ten-thousandths.

    Raises:
        BadFee: less than nothing, or more than half.
        MerchantClosed: nothing is sold any more.
        UnknownMerchant: no merchant has this reference.
    """
    merchant = _working(reference)
    if merchant.fee_permyriad != _checked(fee_permyriad):
        merchant.fee_permyriad = fee_permyriad
        merchant.save(update_fields=["fee_permyriad"])
        record_act(by=by, verb="merchant.fee", about=reference, fee=fee_permyriad)


@transaction.atomic
def pause_merchant(*, reference: str, by: Login | None) -> None:
    """Offer nothing of this merchant for now; what is paid is still delivered.

    Raises:
        MerchantClosed: nothing is sold any more.
        UnknownMerchant: no merchant has this reference.
    """
    _set_state(_working(reference), "paused", "merchant.pause", by)


@transaction.atomic
def resume_merchant(*, reference: str, by: Login | None) -> None:
    """Offer a paused merchant's products again.

    Raises:
        MerchantClosed: nothing is sold any more.
        UnknownMerchant: no merchant has this reference.
    """
    _set_state(_working(reference), "active", "merchant.resume", by)


@transaction.atomic
def close_merchant(*, reference: str, by: Login | None) -> None:
    """Offer nothing of this merchant ever again; what is paid is still delivered.

    Raises:
        MerchantClosed: already so.
        UnknownMerchant: no merchant has this reference.
    """
    _set_state(_working(reference), "closed", "merchant.close", by)


@transaction.atomic
def add_staff(*, reference: str, name: str, password: str, by: Login | None) -> Login:
    """Give someone who works for the merchant a name and a password.

    Raises:
        LoginNameTaken: the name is in use.
        MerchantClosed: nothing is left to do there.
        UnknownMerchant: no merchant has this reference.
        WeakPassword: too short or too common.
    """
    merchant = _working(reference)
    login = open_login(name=name, password=password, role="merchant", by=by)
    MerchantStaff.objects.create(merchant=merchant, login=login, added_at=clock.now())
    record_act(by=by, verb="merchant.staff", about=reference, name=name)
    return login


def _checked(fee_permyriad: int) -> int:
    if not 0 <= fee_permyriad <= FEE_PERMYRIAD_MAX:
        raise BadFee
    return fee_permyriad


def _working(reference: str) -> Merchant:
    """The merchant, held until the transaction ends."""
    held = Merchant.objects.select_for_update(no_key=True)
    merchant = held.filter(reference=reference).first()
    if merchant is None:
        raise UnknownMerchant
    if merchant.state == "closed":
        raise MerchantClosed(name=merchant.name)
    return merchant


def _set_state(merchant: Merchant, state: str, verb: str, by: Login | None) -> None:
    if merchant.state != state:
        merchant.state = state
        merchant.save(update_fields=["state"])
        record_act(by=by, verb=verb, about=merchant.reference)
