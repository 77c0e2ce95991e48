"""What members have earned and are given: the levels, the offers, the coupons, and what they cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.once import is_first, new_token
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui.benefit_words import coupon_says, level_asks, offer_says, scope_says
from liuke.interfaces.ui.reach import Part, parts
from liuke.interfaces.ui.refusals import status_of
from liuke.membership import queries
from liuke.membership.actions import (
    activate_ladder,
    end_offer,
    give_coupon,
    stop_coupon_kind,
)
from liuke.membership.models import CouponKind, Ladder, Level, Offer
from liuke.orders.queries import OfferDone, offers_done
from liuke.people.queries import member_by_reference, person_with_phone

SHOWN = 60  # offers, and kinds of coupon, the newest first
COUNTED_DAYS = 90  # of which is told what offers did: all of it may be many orders
NOTHING_YET = OfferDone(0, 0)


@dataclass(frozen=True)
class LevelLine:
    """A level: what it asks for, and how many stand on it."""

    level: Level
    asks: str
    members: int


@dataclass(frozen=True)
class OfferLine:
    """An offer: what it gives, for what, and what it did lately. `granted` is for special prices."""

    offer: Offer
    says: str
    about: str
    granted: int
    done: OfferDone
    is_over: bool


@dataclass(frozen=True)
class CouponLine:
    """A kind of coupon: what it gives, for what, how many there are, and how far its budget is spent."""

    kind: CouponKind
    says: str
    about: str
    given: int
    used: int
    is_over: bool

    @property
    def left_fen(self) -> int:
        return self.kind.budget_fen - self.kind.spent_fen - self.kind.locked_fen

    @property
    def bar(self) -> list[Part]:
        """The budget: spent, locked by unpaid orders, left."""
        kind = self.kind
        return parts({"go": kind.spent_fen, "wait": kind.locked_fen, "out": self.left_fen})


@dataclass(frozen=True)
class Refused:
    """A phone number that was typed to give a coupon to, and why none was given."""

    kind: str = ""
    phone: str = ""
    says: str = ""


@dataclass(frozen=True)
class LadderLine:
    """A ladder with its levels."""

    ladder: Ladder
    levels: list[LevelLine]


@require_GET
def benefits(request: HttpRequest) -> HttpResponse:
    """Everything that makes a price lower."""
    return _page(request)


@require_POST
def climb(request: HttpRequest, key: str) -> HttpResponseRedirect:
    """Let everybody climb another ladder.

    Raises:
        UnknownLadder: there is none of that key.
    """
    queries.ladder_named(key)
    if first_click(request):
        moved = activate_ladder(key=key, by=login_of(request))
        messages.success(request, moved_says(moved))
    return redirect("console:benefits")


@require_POST
def end(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Offer something no longer; orders that made use of it keep their price.

    Raises:
        UnknownOffer: none has this reference.
    """
    end_offer(reference=queries.offer_named(reference).reference, by=login_of(request))
    messages.success(request, gettext("Ended. Orders that made use of it keep their price."))
    return redirect("console:benefits")


@require_POST
def stop(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Give out no more coupons of a kind; those given out stay good.

    Raises:
        UnknownCoupon: no kind has this reference.
    """
    kind = queries.coupon_kind_named(reference)
    stop_coupon_kind(reference=kind.reference, by=login_of(request))
    messages.success(request, gettext("Stopped. Coupons that members have stay good."))
    return redirect("console:benefits")


@require_POST
def give(request: HttpRequest, reference: str) -> HttpResponse:
    """Give a coupon of this kind to the member with a phone number.

    Raises:
        UnknownCoupon: no kind has this reference.
    """
    kind, phone = queries.coupon_kind_named(reference), request.POST.get("phone", "")
    if not first_click(request):
        return redirect("console:benefits")
    try:
        member = person_with_phone(phone)
        give_coupon(kind_ref=kind.reference, member=member, by=login_of(request))
    except Refusal as refusal:
        refused = Refused(kind.reference, phone[:30], str(refusal))
        return _page(request, refused=refused, status=status_of(refusal))
    messages.success(request, _given_says(kind, member.name))
    return redirect(f"{reverse('console:benefits')}#c-{kind.reference}")


@require_POST
def give_to(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Give the member whose page this is a coupon of the kind that was chosen.

    Raises:
        UnknownCoupon: no kind has the reference chosen. UnknownMember: nobody has this one.
    """
    member = member_by_reference(reference)
    kind = queries.coupon_kind_named(request.POST.get("kind", ""))
    if first_click(request):
        attempt(
            request,
            lambda: give_coupon(kind_ref=kind.reference, member=member, by=login_of(request)),
            _given_says(kind, member.name),
        )
    return redirect("console:member", member.reference)


def first_click(request: HttpRequest) -> bool:
    """Whether this form was not sent before; if it was, the next page says so."""
    is_new = is_first(request)
    if not is_new:
        messages.warning(request, gettext("This was sent before and counts once."))
    return is_new


def moved_says(members: int) -> str:
    """That a ladder was changed, and what that did."""
    said = ngettext(
        "Saved. %(n)s member came to another level.",
        "Saved. %(n)s members came to another level.",
        members,
    )
    return said % {"n": members}


def _given_says(kind: CouponKind, member: str) -> str:
    return gettext("%(member)s has the coupon “%(name)s”.") % {"member": member, "name": kind.name}


def _page(
    request: HttpRequest, *, refused: Refused | None = None, status: int = 200
) -> HttpResponse:
    first, *others = _ladders()
    offers = _offers(list(queries.offers()[:SHOWN]))
    context = {
        "frame": frame_of(request, "benefits"),
        "ladder": first,
        "others": others,
        "kinds_of_offer": [
            (key, [line for line in offers if line.offer.kind == key])
            for key in ("first_order", "special_price")
        ],
        "coupons": _coupons(list(queries.coupon_kinds()[:SHOWN])),
        "refused": refused or Refused(),
        "counted_days": COUNTED_DAYS,
        "once": new_token(),
    }
    return render(request, "console/benefits.html", context, status=status)


def _ladders() -> list[LadderLine]:
    """The one that is climbed first, with how many stand where."""
    holders = queries.level_holders()
    return [
        LadderLine(
            ladder,
            [
                LevelLine(level, level_asks(level), holders.get(level.pk, 0))
                for level in queries.levels(ladder.key)
            ],
        )
        for ladder in queries.ladders()
    ]


def _offers(found: Sequence[Offer]) -> list[OfferLine]:
    """Offers with what they did; those that are over last."""
    granted, now = queries.offers_granted(), clock.now()
    since = now - dt.timedelta(days=COUNTED_DAYS)
    done = offers_done([offer.pk for offer in found], since=since)
    lines = [
        OfferLine(
            offer,
            offer_says(offer),
            scope_says(offer),
            granted.get(offer.pk, 0),
            done.get(offer.pk, NOTHING_YET),
            offer.ends_at is not None and offer.ends_at <= now,
        )
        for offer in found
    ]
    return sorted(lines, key=lambda line: line.is_over)


def _coupons(found: Sequence[CouponKind]) -> list[CouponLine]:
    """Kinds of coupon with what became of them; those no longer given out last."""
    given, now = queries.coupons_given(), clock.now()
    lines = [
        CouponLine(
            kind,
            coupon_says(kind),
            scope_says(kind),
            *given.get(kind.pk, (0, 0)),
            kind.ends_at is not None and kind.ends_at <= now,
        )
        for kind in found
    ]
    return sorted(lines, key=lambda line: line.is_over)
