"""A merchant's own products, what is left of them, and their card keys."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base.errors import Conflict, Invalid, Refusal
from liuke.catalog import queries
from liuke.catalog.actions import add_stock, mark_bad, reveal_key, revoke_batch, revoke_key
from liuke.catalog.models import Variant
from liuke.interfaces.merchant.frame import page
from liuke.interfaces.merchant.sessions import MerchantRequest
from liuke.interfaces.ui.goods import (
    Revealed,
    keys_page,
    product_lines,
    refused_keys,
    take_keys,
)
from liuke.interfaces.ui.refusals import status_of

ROWS_A_PAGE = 30


@require_GET
def products(request: MerchantRequest) -> HttpResponse:
    """Everything of theirs, on offer or not, and what runs out."""
    text = request.GET.get("search", "").replace("\x00", "").strip()[:80]
    found = queries.search(text, merchant=request.merchant, is_for_members=False)
    shown = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page", "1"))
    more: dict[str, Any] = {
        "lines": product_lines(list(shown)),
        "page": shown,
        "search": text,
        "low": queries.low_stock(request.merchant),
        "previous_href": f"?page={shown.number - 1}" if shown.has_previous() else "",
        "next_href": f"?page={shown.number + 1}" if shown.has_next() else "",
    }
    return page(request, "merchant/products.html", "products", **more)


@require_GET
def product(request: MerchantRequest, reference: str) -> HttpResponse:
    """One product of theirs, with its variants.

    Raises:
        UnknownProduct: none of theirs has this reference.
    """
    found = queries.product_by_reference(reference, request.merchant)
    variants = list(queries.variants_of(found))
    left = queries.stock_of([variant.pk for variant in variants], at_most=100_000)
    lines = [(variant, left[variant.pk]) for variant in variants]
    return page(request, "merchant/product.html", "products", product=found, lines=lines)


@require_POST
def stock(request: MerchantRequest, reference: str) -> HttpResponseRedirect:
    """Add to counted stock, or take from it.

    Raises:
        UnknownVariant: none of theirs has this reference.
    """
    variant = _variant(request, reference)
    text = request.POST.get("quantity", "").strip()
    digits = text.lstrip("+-")
    quantity = int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 9 else 0
    try:
        add_stock(variant=variant, quantity=quantity, by=request.login)
        messages.success(request, gettext("%(n)s more in stock.") % {"n": quantity})
    except (Invalid, Conflict) as refusal:
        messages.error(request, str(refusal))
    return redirect("merchant:product", variant.product.reference)


@require_GET
def card_keys(request: MerchantRequest, reference: str) -> HttpResponse:
    """Counts, batches and the keys themselves, masked.

    Raises:
        UnknownVariant: none of theirs has this reference.
    """
    return _keys(request, _variant(request, reference))


@require_POST
def take(request: MerchantRequest, reference: str) -> HttpResponse:
    """Import what was pasted or dropped; a script is told where to go.

    Raises:
        UnknownVariant: none of theirs has this reference.
    """
    variant = _variant(request, reference)
    says = take_keys(request, variant, request.login)
    if says:
        messages.success(request, says)
    there = reverse("merchant:card_keys", args=[variant.reference])
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return HttpResponse(there, content_type="text/plain")
    return HttpResponseRedirect(there)


@require_POST
def reveal(request: MerchantRequest, reference: str) -> HttpResponse:
    """Show one unsold key, for this answer only; who looked and why is written down first.

    Raises:
        UnknownKey: not a key of this variant. UnknownVariant: none of theirs has this reference.
    """
    variant = _variant(request, reference)
    key = queries.key_of(variant, request.POST.get("key", ""))
    try:
        secret = reveal_key(
            key_id=key.pk,
            actor=request.login,
            role="merchant",
            reason=request.POST.get("reason", ""),
            ip=request.META.get("REMOTE_ADDR", ""),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _keys(request, variant, status=status_of(refusal))
    seen = Revealed(key, secret.reveal(), list(queries.access_history(key.pk)))
    return _keys(request, variant, revealed=seen)


@require_POST
def end(request: MerchantRequest, reference: str) -> HttpResponseRedirect:
    """Take one key out of use: back, or because it does not work.

    Raises:
        UnknownKey: not a key of this variant. UnknownVariant: none of theirs has this reference.
    """
    variant, given = _variant(request, reference), request.POST
    key = queries.key_of(variant, given.get("key", ""))
    action = mark_bad if given.get("do") == "bad" else revoke_key
    try:
        action(key_id=key.pk, why=given.get("reason", ""), by=request.login)
        messages.success(request, gettext("This card key is out of use."))
    except (Invalid, Conflict) as refusal:
        messages.error(request, str(refusal))
    return redirect("merchant:card_keys", variant.reference)


@require_POST
def end_batch(request: MerchantRequest, reference: str) -> HttpResponseRedirect:
    """Take back what is left of a batch.

    Raises:
        UnknownBatch: none of theirs has this reference.
    """
    batch = queries.batch_by_reference(reference, request.merchant)
    try:
        revoke_batch(batch=batch, why=request.POST.get("reason", ""), by=request.login)
        messages.success(request, gettext("What was left of this batch is out of use."))
    except (Invalid, Conflict) as refusal:
        messages.error(request, str(refusal))
    return redirect("merchant:card_keys", batch.variant.reference)


def _variant(request: MerchantRequest, reference: str) -> Variant:
    return queries.variant_by_reference(reference, request.merchant)


def _keys(
    request: MerchantRequest,
    variant: Variant,
    *,
    revealed: Revealed | None = None,
    status: int = 200,
) -> HttpResponse:
    number = request.GET.get("page", "1")
    keys = keys_page(variant, request.GET, int(number) if number.isdecimal() else 1)
    more: dict[str, Any] = {"page": keys, "refused": refused_keys(request), "revealed": revealed}
    return page(request, "merchant/card_keys.html", "products", status=status, **more)
