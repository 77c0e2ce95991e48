"""Offers: made once, granted to persons, used by one order, returned when that comes to nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from liuke.base import clock, ids
from liuke.membership.errors import BadOffer, OfferGone
from liuke.membership.models import Offer, OfferGrant, OfferUse
from liuke.membership.queries import offer_named
from liuke.people.actions import record_act
from liuke.people.models import Login

_USE = """
INSERT INTO membership_offer_use (offer_id, grant_id, kind, person_id, order_ref, at)
SELECT id, %(grant)s, kind, %(person)s, %(order)s, %(at)s FROM membership_offer WHERE id = %(offer)s
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def make_offer(*, kind: str, name: str, by: Login | None, **fields: Any) -> Offer:
    """Make an offer; `fields` are those of the model, `starts_at` now unless told.

    Raises:
        BadOffer: the fields contradict each other.
    """
    now = clock.now()
    offer = Offer(
        reference=ids.new_reference(),
        kind=kind,
        name=name,
        made_at=now,
        by=by,
        **{"starts_at": now, **fields},
    )
    try:
        with transaction.atomic():
            offer.save(force_insert=True)
    except IntegrityError as refused:
        raise BadOffer(reason=broken_rule(refused)) from refused
    record_act(by=by, verb="offer.make", about=offer.reference, kind=kind, name=name)
    return offer


@transaction.atomic
def end_offer(*, reference: str, by: Login | None) -> None:
    """From now on nobody gets it any more; orders that make use of it keep their price. Again changes nothing.

    Raises:
        UnknownOffer: there is none.
    """
    offer, now = offer_named(reference), clock.now()
    if offer.ends_at is not None and offer.ends_at <= now:
        return
    Offer.objects.filter(pk=offer.pk).update(ends_at=max(now, offer.starts_at))
    record_act(by=by, verb="offer.end", about=reference)


@transaction.atomic
def grant_offer(
    *,
    reference: str,
    person_id: int,
    ends_at: dt.datetime,
    about: str = "",
    starts_at: dt.datetime | None = None,
) -> OfferGrant:
    """Let a person have a special price for one order until a moment; once for each `about`, the message that says so.

    Raises:
        UnknownOffer: there is no such special price.
    """
    offer, now = offer_named(reference), clock.now()
    grant, _ = OfferGrant.objects.get_or_create(
        offer=offer,
        person_id=person_id,
        about=about,
        defaults={"starts_at": starts_at or now, "ends_at": ends_at, "granted_at": now},
    )
    return grant


@dataclass(frozen=True)
class Grant:
    """A special price for a person until a moment; `about` is the message that says so."""

    offer_id: int
    person_id: int
    ends_at: dt.datetime
    about: str


def grant_offers(*, grants: Sequence[Grant], at: dt.datetime) -> None:
    """Grant special prices to many persons from a moment on, in one statement; those they have stay as they are."""
    OfferGrant.objects.bulk_create(
        (
            OfferGrant(
                offer_id=grant.offer_id,
                person_id=grant.person_id,
                about=grant.about,
                starts_at=at,
                ends_at=grant.ends_at,
                granted_at=at,
            )
            for grant in grants
        ),
        ignore_conflicts=True,
    )


@transaction.atomic
def use_offer(*, offer_id: int, grant_id: int | None, person_id: int, order_ref: str) -> None:
    """An order makes use of an offer from the moment it is placed.

    Raises:
        OfferGone: another order of the person does.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _USE,
            {
                "offer": offer_id,
                "grant": grant_id,
                "person": person_id,
                "order": order_ref,
                "at": clock.now(),
            },
        )
        if not cursor.rowcount:
            raise OfferGone


def return_offer(*, order_ref: str) -> int:
    """An order came to nothing: what it made use of is there again; how many offers. Again changes nothing."""
    return OfferUse.objects.filter(order_ref=order_ref, returned_at=None).update(
        returned_at=clock.now()
    )


def broken_rule(refused: IntegrityError) -> str:
    """The rule that the database named, in words; "" when it named none."""
    name = getattr(getattr(refused.__cause__, "diag", None), "constraint_name", None)
    return str(name or "").replace("_", " ")
