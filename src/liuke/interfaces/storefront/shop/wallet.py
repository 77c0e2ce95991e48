"""What the member has here: money that came back, coupons, their level."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from liuke.base import clock
from liuke.interfaces.storefront.shop import words
from liuke.interfaces.storefront.shop.visiting import ShopRequest, members_only
from liuke.ledger import accounts
from liuke.ledger.models import Leg
from liuke.membership.queries import coupons_of, level_of, progress_of, spend_of
from liuke.orders.models import Order
from liuke.payments.queries import wallet_fen

ENTRIES_SHOWN = 50


@dataclass(frozen=True)
class Entry:
    """One movement of the wallet: what came in is positive. `order` is what it is about, where it is about one."""

    at: datetime
    says: str
    amount_fen: int
    order: str


@members_only
@require_safe
def wallet(request: ShopRequest) -> HttpResponse:
    """Balance and entries, coupons, level."""
    assert request.member is not None
    person_id = request.member.pk
    coupons = coupons_of(person_id).filter(state="free", expires_at__gt=clock.now())
    context = {
        "here": "me",
        "balance_fen": wallet_fen(person_id),
        "entries": _entries(person_id),
        "coupons": list(coupons),
        "level": level_of(person_id),
        "progress": progress_of(person_id),
        "spend": spend_of(person_id),
    }
    return render(request, "store/wallet.html", context)


def _entries(person_id: int) -> list[Entry]:
    """The last movements, the newest first. Legs are + debit: what is owed to the member grows by credit."""
    name = accounts.wallet(person_id)
    legs = list(
        Leg.objects.filter(
            account__kind=name.kind, account__owner=name.owner, account__asset=name.asset
        )
        .select_related("entry")
        .order_by("-entry_id")[:ENTRIES_SHOWN]
    )
    named = {leg.entry.about for leg in legs}
    mine = set(
        Order.objects.filter(reference__in=named, person_id=person_id).values_list(
            "reference", flat=True
        )
    )
    return [
        Entry(
            leg.entry.at,
            words.booked_says(leg.entry.kind),
            -leg.amount_fen,
            leg.entry.about if leg.entry.about in mine else "",
        )
        for leg in legs
    ]
