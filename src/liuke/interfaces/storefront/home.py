"""The first page: what the member has here, our promise, what is unread, and what we know."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from liuke.analytics.models import MemberFacts
from liuke.analytics.queries import sources
from liuke.base import clock
from liuke.engagement import queries
from liuke.interfaces.storefront.letters import of_inbox, of_ledger
from liuke.interfaces.storefront.sessions import MemberRequest, zone_here
from liuke.interfaces.storefront.wording import masked
from liuke.membership.queries import coupons_of, level_of
from liuke.payments.queries import wallet_fen
from liuke.people.queries import members_of

UNREAD_SHOWN = 3
_PARTS = 7


@dataclass(frozen=True)
class Vow:
    """The promise as it stands: how much of the quiet week has passed, in sevenths, and when it ends."""

    days: list[bool]
    last_on: dt.date | None = None
    next_on: dt.date | None = None
    is_over: bool = False


@dataclass(frozen=True)
class Known:
    """What one shop knows of the member's orders."""

    shop: str
    orders: int
    first_on: dt.date | None
    last_on: dt.date | None


@require_safe
def home(request: MemberRequest) -> HttpResponse:
    """The member's first page."""
    member = request.member
    zone = zone_here(member)
    unread = [item for item in queries.inbox(member.pk) if item.opened_at is None]
    context = {
        "here": "home",
        "masked": masked(member.phone()),
        "balance_fen": wallet_fen(member.pk),
        "coupons": coupons_of(member.pk).filter(state="free", expires_at__gt=clock.now()).count(),
        "level": level_of(member.pk),
        "vow": vow_of(queries.ledger(member.pk), zone),
        "fresh": [of_inbox(item, zone) for item in unread[:UNREAD_SHOWN]],
        "more_unread": max(0, len(unread) - UNREAD_SHOWN),
        "known": _known(member.pk),
    }
    return render(request, "shop/home.html", context)


@require_safe
def contacts(request: MemberRequest) -> HttpResponse:
    """Every contact there was, newest first, and when the next one may come."""
    zone = zone_here(request.member)
    ledger = queries.ledger(request.member.pk)
    context = {
        "vow": vow_of(ledger, zone),
        "cap_hours": queries.policy().cap_hours,
        "contacts": [of_ledger(row, zone) for row in ledger.rows],
    }
    return render(request, "shop/contacts.html", context)


def vow_of(ledger: queries.Ledger, zone: ZoneInfo) -> Vow:
    """Counted from the last offer that really went out: a week that was taken without one is nobody's business."""
    last = next((row.at for row in ledger.rows if row.purpose == "marketing"), None)
    if last is None:
        return Vow(days=[False] * _PARTS)
    whole = dt.timedelta(hours=queries.policy().cap_hours)
    passed = min(_PARTS, int((clock.now() - last) / whole * _PARTS))
    return Vow(
        days=[part < passed for part in range(_PARTS)],
        last_on=last.astimezone(zone).date(),
        next_on=(last + whole).astimezone(zone).date(),
        is_over=last + whole <= clock.now(),
    )


def _known(person_id: int) -> list[Known]:
    titles = {source.key: source.title for source in sources()}
    found = list(members_of(person_id))
    facts = {each.pk: each for each in MemberFacts.objects.filter(member__in=found)}
    return [
        Known(
            shop=titles.get(member.source, settings.LIUKE_SITE_NAME),
            orders=facts[member.pk].orders if member.pk in facts else 0,
            first_on=facts[member.pk].first_on if member.pk in facts else None,
            last_on=facts[member.pk].last_on if member.pk in facts else None,
        )
        for member in found
    ]
