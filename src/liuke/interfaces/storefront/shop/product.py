"""A product: where it comes from, what it costs and why, and whether it is there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count, F, Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.catalog.actions import ask_when_back, follow, unfollow
from liuke.catalog.models import BackWish, Follow, Product
from liuke.catalog.queries import (
    ProductPage,
    VariantOffer,
    product_by_reference,
    product_page,
    variant_by_reference,
)
from liuke.catalog.queries.products import STOCK_SHOWN
from liuke.delivery.models import Delivery
from liuke.interfaces.storefront.shop import shelf, showing
from liuke.interfaces.storefront.shop.kept import Kept
from liuke.interfaces.storefront.shop.visiting import (
    ShopRequest,
    members_only,
    open_to_all,
    person_of,
    who,
)
from liuke.orders.models import Order
from liuke.orders.queries import Quote, orders_of, quote
from liuke.people.models import Member

RECORD_DAYS, RECORD_LEAST = 30, 20
JUST_MINUTES = 15


@dataclass(frozen=True)
class Record:
    """What became of a product's deliveries of the last month."""

    delivered: int
    in_time: int
    rejected: int

    @property
    def in_time_share(self) -> float:
        return self.in_time / self.delivered

    @property
    def rejected_share(self) -> float:
        return self.rejected / self.delivered


_records: Kept[Record] = Kept(600)


@open_to_all
@require_safe
def product(request: ShopRequest, reference: str) -> HttpResponse:
    """Everything about a product.

    Raises:
        UnknownProduct: there is none of this reference, or it is not offered.
    """
    page = product_page(reference)
    showing.note_click(request, page.product)
    chosen = choose(page, request.GET.get("v", ""))
    someone = who(request)
    context = {
        "page": page,
        "p": page.product,
        "glyph": shelf.glyph_of(page.product),
        "hue": shelf.hue_of(page.product),
        "chosen": chosen,
        "quote": quote_of(person_of(request), chosen, 1) if chosen else None,
        "stock_shown": STOCK_SHOWN,
        "record": _record(page.product),
        "just": just_ordered(someone, page.product),
        "is_followed": _is_followed(request.member, page.product),
        "is_awaited": _is_awaited(request.member, chosen),
    }
    return render(request, "store/product.html", context)


@members_only
@require_POST
def follow_product(request: ShopRequest, reference: str) -> HttpResponse:
    """Hear of a product, or no longer."""
    product = product_by_reference(reference)
    assert request.member is not None
    if "stop" in request.POST:
        unfollow(person_id=request.member.pk, product=product)
    else:
        follow(person_id=request.member.pk, product=product)
        messages.success(request, gettext("You will find it under what you follow."))
    return HttpResponseRedirect(reverse("shop:product", args=[product.reference]))


@members_only
@require_POST
def tell_when_back(request: ShopRequest, reference: str) -> HttpResponse:
    """Be told once when a variant is there again."""
    variant = variant_by_reference(reference)
    assert request.member is not None
    ask_when_back(person_id=request.member.pk, variant=variant)
    messages.success(request, gettext("We will tell you once, as soon as it is back."))
    page = reverse("shop:product", args=[variant.product.reference])
    return HttpResponseRedirect(f"{page}?v={variant.reference}")


@members_only
@require_safe
def followed(request: ShopRequest) -> HttpResponse:
    """What the member follows, and what they wait for."""
    assert request.member is not None
    follows = Follow.objects.filter(person=request.member).select_related("product")
    waits = BackWish.objects.filter(person=request.member, told_at=None)
    context = {
        "here": "me",
        "follows": follows.order_by("-id"),
        "waits": waits.select_related("variant__product").order_by("-id"),
    }
    return render(request, "store/followed.html", context)


def choose(page: ProductPage, reference: str) -> VariantOffer | None:
    """The variant that was asked for, else the first that is there; None where nothing is offered."""
    named = [offer for offer in page.offers if offer.variant.reference == reference]
    there = [offer for offer in page.offers if offer.is_in_stock]
    return next(iter([*named, *there, *page.offers]), None)


def quote_of(person_id: int | None, offer: VariantOffer, quantity: int) -> Quote | None:
    """What it costs now, or None when it cannot be ordered like that."""
    try:
        return quote(
            person_id=person_id, wants=[(offer.variant.reference, quantity)], at=clock.now()
        )
    except Refusal:
        return None


def just_ordered(someone: Member | None, product: Product) -> Order | None:
    """An order of this that was placed a moment ago: whoever comes back here may not know that it was."""
    if someone is None:
        return None
    since = clock.now() - dt.timedelta(minutes=JUST_MINUTES)
    orders = orders_of(someone.person_id).filter(lines__product=product, placed_at__gt=since)
    return orders.exclude(state__in=("cancelled", "refunded", "completed")).first()


def _is_followed(member: Member | None, product: Product) -> bool:
    return member is not None and Follow.objects.filter(person=member, product=product).exists()


def _is_awaited(member: Member | None, offer: VariantOffer | None) -> bool:
    if member is None or offer is None or offer.is_in_stock:
        return False
    return BackWish.objects.filter(person=member, variant=offer.variant, told_at=None).exists()


def _record(product: Product) -> Record | None:
    """None while there is too little to say."""
    record = _records.get(product.pk, lambda: _count_record(product))
    return record if record.delivered >= RECORD_LEAST else None


def _count_record(product: Product) -> Record:
    since = clock.now() - dt.timedelta(days=RECORD_DAYS)
    delivered = Delivery.objects.filter(
        line__product=product, line__is_gift=False, delivered_at__gt=since
    )
    counted = delivered.aggregate(
        delivered=Count("pk", distinct=True),
        in_time=Count(
            "pk",
            distinct=True,
            filter=Q(delivered_at__lte=F("promised_at") + dt.timedelta(minutes=1)),
        ),
        rejected=Count("pk", distinct=True, filter=Q(rejections__state="granted")),
    )
    return Record(**counted)
