"""Show a card key to whom it belongs, and take one out of use. Looking is written down before the key is opened."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import QuerySet

from liuke.base import clock
from liuke.base.prepared import Prepared, Written
from liuke.base.secret_text import SecretText
from liuke.catalog.card_seal import open_key
from liuke.catalog.errors import (
    KeyEnded,
    KeyHeld,
    MayNotReveal,
    ReasonMissing,
    TooManyReveals,
    UnknownKey,
)
from liuke.catalog.models import CardKey, KeyAccess, KeyBatch
from liuke.catalog.queries.keys import policy
from liuke.merchants.queries import merchant_of
from liuke.people.actions import record_act
from liuke.people.models import Login, Member
from liuke.people.rules import network_of

REASON_LETTERS = 200
_REVEALS_LOCK = 0x1_CA2D


_KEY = Prepared(lambda key_id: CardKey.objects.select_related("batch").filter(pk=key_id), int)
_ACCESS = Written(KeyAccess)


@transaction.atomic
def reveal_key(
    *, key_id: int, actor: Login | Member | None, role: str, reason: str = "", ip: str = ""
) -> SecretText:
    """Open a card key for somebody, writing down first who looks, as what, and why.

    `role` is buyer (a member; that the key is theirs is for the caller to know), operator, agent, merchant (a login,
    with a reason) or system (nobody). What is refused leaves no line.

    Raises:
        MayNotReveal: a key that was not delivered, for a buyer; another's or a delivered one, for a merchant.
        ReasonMissing: a login gives none.
        TooManyReveals: this login has seen as many as one may in an hour.
        UnknownKey: there is no such key.
    """
    key = _KEY.first(key_id)
    if key is None:
        raise UnknownKey
    reason = " ".join(reason.split())[:REASON_LETTERS]
    login = actor if isinstance(actor, Login) else None
    if login is not None:
        _refuse_login(login, key, role, reason)
    elif role == "buyer" and key.delivered_at is None:
        raise MayNotReveal
    _ACCESS(
        KeyAccess(
            key=key,
            login=login,
            person_id=actor.person_id if isinstance(actor, Member) else None,
            role=role,
            reason=reason,
            network=network_of(ip),
            at=clock.now(),
        )
    )
    return open_key(key)


@transaction.atomic
def revoke_key(*, key_id: int, why: str, by: Login | None = None) -> None:
    """Take a card key out of use, sold or not: nobody else will ever get it.

    Raises:
        KeyEnded: it is out of use already.
        KeyHeld: it is set aside for an order.
        ReasonMissing: no word why.
    """
    _end(key_id, "revoked", why, by)


@transaction.atomic
def mark_bad(*, key_id: int, why: str, by: Login | None = None) -> None:
    """Write down that a card key does not work: nobody else will ever get it.

    Raises:
        KeyEnded: it is out of use already.
        KeyHeld: it is set aside for an order.
        ReasonMissing: no word why.
    """
    _end(key_id, "bad", why, by)


@transaction.atomic
def revoke_batch(*, batch: KeyBatch, why: str, by: Login | None) -> int:
    """Take every free key of a batch out of use; how many. What is held or delivered stays as it is.

    Raises:
        ReasonMissing: no word why.
    """
    free = CardKey.objects.filter(batch=batch, state="free").select_for_update(
        no_key=True, skip_locked=True
    )
    picked = list(free.order_by("id").values_list("pk", flat=True))
    ended = CardKey.objects.filter(pk__in=picked)
    count = ended.update(state="revoked", ended_at=clock.now(), why_ended=_why(why))
    record_act(by=by, verb="keys.revoke_batch", about=batch.reference, keys=count, why=_why(why))
    return count


def _refuse_login(login: Login, key: CardKey, role: str, reason: str) -> None:
    if role not in ("operator", "agent", "merchant") or role != login.role:
        raise MayNotReveal
    if not reason:
        raise ReasonMissing
    if role == "merchant":
        merchant = merchant_of(login)
        if merchant is None or merchant.pk != key.merchant_id:
            raise UnknownKey
        if key.delivered_at is not None:
            raise MayNotReveal
    most = policy().reveals_an_hour
    with connection.cursor() as cursor:  # so that two clicks at once are counted as two
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_REVEALS_LOCK, login.pk])
    hour = clock.now() - dt.timedelta(hours=1)
    if KeyAccess.objects.filter(login=login, at__gt=hour).count() >= most:
        raise TooManyReveals(most=most)


def _end(key_id: int, state: str, why: str, by: Login | None) -> None:
    held: QuerySet[CardKey] = CardKey.objects.select_for_update(no_key=True, of=("self",))
    key = held.select_related("variant__product").filter(pk=key_id).first()
    if key is None:
        raise UnknownKey
    if key.state in ("revoked", "bad"):
        raise KeyEnded
    if key.state == "held":
        raise KeyHeld
    key.state, key.ended_at, key.why_ended = state, clock.now(), _why(why)
    key.save(update_fields=["state", "ended_at", "why_ended"])
    if by is not None:
        about = key.variant.product.reference
        record_act(by=by, verb=f"key.{state}", about=about, key=key_id, why=key.why_ended)


def _why(why: str) -> str:
    tidy = " ".join(why.split())[:REASON_LETTERS]
    if not tidy:
        raise ReasonMissing
    return tidy
