"""Set money aside, and end that once: posted (whole or in part), voided or expired."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from liuke.base import clock
from liuke.ledger.accounts import AccountName
from liuke.ledger.actions.post import Posted, post
from liuke.ledger.errors import (
    KeyUsedOtherwise,
    MoreThanReserved,
    NotEnough,
    ReservationEnded,
    UnknownReservation,
)
from liuke.ledger.models import Account, Reservation
from liuke.ledger.rules import Move


@transaction.atomic
def reserve(
    *,
    key: str,
    debit: AccountName,
    credit: AccountName,
    amount_fen: int,
    expires_at: dt.datetime,
    about: str = "",
) -> Reservation:
    """Set `amount_fen` of a guarded account aside for a later move to `credit`. Told again, it is the same one.

    Raises:
        NotEnough: less than that is there, other reservations counted.
        KeyUsedOtherwise: the key stands for another reservation.
        ValueError: the move makes no sense, or `debit` is an account that cannot run short.
    """
    Move(debit, credit, amount_fen)
    if not debit.is_guarded:
        raise ValueError(f"{debit} cannot run short, so nothing is set aside there")
    wanted = (_account_id(debit), _account_id(credit), amount_fen)
    known = Reservation.objects.filter(key=key).first()
    if known is None:
        try:
            with transaction.atomic():
                return Reservation.objects.create(
                    key=key,
                    debit_id=wanted[0],
                    credit_id=wanted[1],
                    amount_fen=amount_fen,
                    about=about,
                    made_at=clock.now(),
                    expires_at=expires_at,
                )
        except IntegrityError as refused:
            if _constraint(refused) == "never_overdrawn":
                raise NotEnough from refused
            known = Reservation.objects.get(key=key)  # someone else was told at the same moment
    if (known.debit_id, known.credit_id, known.amount_fen) != wanted:
        raise KeyUsedOtherwise
    return known


@transaction.atomic
def post_reservation(*, key: str, amount_fen: int | None = None) -> Posted:
    """Book what was set aside, or less of it: the rest is free again. Told again, it is the same entry.

    Raises:
        UnknownReservation: no reservation has this key.
        ReservationEnded: it was voided, expired (also when nobody swept it yet), or posted with another amount.
        MoreThanReserved: more than was set aside.
        ValueError: nothing or less.
    """
    reservation = _locked(key)
    wanted = reservation.amount_fen if amount_fen is None else amount_fen
    move = Move(reservation.debit.name, reservation.credit.name, wanted)
    if wanted > reservation.amount_fen:
        raise MoreThanReserved
    is_told_again = reservation.state == "posted" and reservation.posted_fen == wanted
    if not is_told_again:
        if reservation.state != "pending" or reservation.expires_at <= clock.now():
            raise ReservationEnded
        _end(reservation, "posted", wanted)
    return post(key=f"reservation:{key}", kind="reservation", moves=[move], about=reservation.about)


@transaction.atomic
def void_reservation(*, key: str) -> None:
    """Free what was set aside. Told again, or after it expired, it changes nothing.

    Raises:
        UnknownReservation: no reservation has this key.
        ReservationEnded: it was posted.
    """
    reservation = _locked(key)
    if reservation.state == "posted":
        raise ReservationEnded
    if reservation.state == "pending":
        _end(reservation, "voided")


@transaction.atomic
def expire_reservations(limit: int = 500) -> int:
    """Free what was set aside for too long; how many reservations."""
    due = Reservation.objects.filter(state="pending", expires_at__lte=clock.now())
    ids = due.order_by("expires_at").select_for_update(no_key=True, skip_locked=True)
    chosen = list(ids.values_list("pk", flat=True)[:limit])
    found = Reservation.objects.filter(pk__in=chosen, state="pending")
    return found.update(state="expired", ended_at=clock.now())


def _locked(key: str) -> Reservation:
    held = Reservation.objects.select_for_update(no_key=True, of=["self"])
    reservation = held.select_related("debit", "credit").filter(key=key).first()
    if reservation is None:
        raise UnknownReservation
    return reservation


def _end(reservation: Reservation, state: str, posted_fen: int = 0) -> None:
    reservation.state, reservation.posted_fen = state, posted_fen
    reservation.ended_at = clock.now()
    reservation.save(update_fields=["state", "posted_fen", "ended_at"])


def _account_id(name: AccountName) -> int:
    opening = {"balance_fen": 0 if name.is_guarded else None}
    account, _ = Account.objects.get_or_create(
        kind=name.kind, owner=name.owner, asset=name.asset, defaults=opening
    )
    return account.pk


def _constraint(refused: IntegrityError) -> str | None:
    diagnosis = getattr(refused.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None)
