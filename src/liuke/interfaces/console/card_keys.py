"""The card keys of a variant: bring more in, see where they are, look at one with a reason, take them out of use."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base.errors import Refusal
from liuke.catalog import queries
from liuke.catalog.actions import mark_bad, reveal_key, revoke_batch, revoke_key
from liuke.catalog.models import Variant
from liuke.interfaces.console.filters import page_number
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui.goods import Revealed, keys_page, refused_keys, take_keys
from liuke.interfaces.ui.refusals import status_of


@require_GET
def card_keys(request: HttpRequest, reference: str) -> HttpResponse:
    """Counts, batches and the keys themselves, masked.

    Raises:
        UnknownVariant: none has this reference.
    """
    return _page(request, queries.variant_by_reference(reference))


@require_POST
def take(request: HttpRequest, reference: str) -> HttpResponse:
    """Import what was pasted or dropped; a script is told where to go.

    Raises:
        UnknownVariant: none has this reference.
    """
    variant = queries.variant_by_reference(reference)
    says = take_keys(request, variant, login_of(request))
    if says:
        messages.success(request, says)
    there = reverse("console:card_keys", args=[variant.reference])
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return HttpResponse(there, content_type="text/plain")
    return HttpResponseRedirect(there)


@require_POST
def reveal(request: HttpRequest, reference: str) -> HttpResponse:
    """Show one key, for this answer only; who looked and why is written down first.

    Raises:
        UnknownKey: not a key of this variant. UnknownVariant: none has this reference.
    """
    variant, login = queries.variant_by_reference(reference), login_of(request)
    key = queries.key_of(variant, request.POST.get("key", ""))
    try:
        secret = reveal_key(
            key_id=key.pk,
            actor=login,
            role=login.role,
            reason=request.POST.get("reason", ""),
            ip=request.META.get("REMOTE_ADDR", ""),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _page(request, variant, status=status_of(refusal))
    seen = Revealed(key, secret.reveal(), list(queries.access_history(key.pk)))
    return _page(request, variant, revealed=seen)


@require_POST
def end(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Take one key out of use: back, or because it does not work.

    Raises:
        UnknownKey: not a key of this variant. UnknownVariant: none has this reference.
    """
    variant, given = queries.variant_by_reference(reference), request.POST
    key = queries.key_of(variant, given.get("key", ""))
    action = mark_bad if given.get("do") == "bad" else revoke_key
    attempt(
        request,
        lambda: action(key_id=key.pk, why=given.get("reason", ""), by=login_of(request)),
        gettext("This card key is out of use."),
    )
    return redirect("console:card_keys", variant.reference)


@require_POST
def end_batch(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Take back what is left of a batch.

    Raises:
        UnknownBatch: none has this reference.
    """
    batch = queries.batch_by_reference(reference)
    why = request.POST.get("reason", "")
    attempt(
        request,
        lambda: revoke_batch(batch=batch, why=why, by=login_of(request)),
        gettext("What was left of this batch is out of use."),
    )
    return redirect("console:card_keys", batch.variant.reference)


def _page(
    request: HttpRequest, variant: Variant, *, revealed: Revealed | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "frame": frame_of(request, "products"),
        "page": keys_page(variant, request.GET, page_number(request.GET)),
        "refused": refused_keys(request),
        "revealed": revealed,
    }
    return render(request, "console/card_keys.html", context, status=status)
