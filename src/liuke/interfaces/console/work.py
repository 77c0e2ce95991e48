"""The work of the day: what needs a person, and what they decide about it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base import clock
from liuke.delivery.actions import settle_rejection
from liuke.delivery.queries import rejection_named
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.console.work_items import SHOWN, work_items
from liuke.payments.actions import refund_to_wallet, retry_refund, settle_discrepancy


@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """Everything that needs a person, the oldest first, by kind."""
    items = work_items(for_operators=login_of(request).is_operator)
    context = {
        "frame": frame_of(request, "work"),
        "items": items,
        "now": clock.now(),
        "most": SHOWN,
    }
    return render(request, "console/work.html", context)


@require_POST
def discrepancy(request: HttpRequest) -> HttpResponseRedirect:
    """Settle money that does not fit: send it back, or say what was done about it.

    Raises:
        UnknownDiscrepancy: there is none of this number.
    """
    given = request.POST
    how = "refund" if given.get("do") == "refund" else "note"
    attempt(
        request,
        lambda: settle_discrepancy(
            discrepancy_id=_number(given.get("discrepancy", "")),
            how=how,
            note=given.get("note", ""),
            by=login_of(request),
        ),
        gettext("Settled."),
    )
    return redirect("console:work")


@require_POST
def refund(request: HttpRequest) -> HttpResponseRedirect:
    """A refund that its gateway refuses: once more, or to the buyer's balance.

    Raises:
        UnknownRefund: none has this reference.
    """
    reference, by = request.POST.get("refund", ""), login_of(request)
    if request.POST.get("do") == "wallet":
        says = gettext("The money is in the buyer's balance.")
        attempt(request, lambda: refund_to_wallet(reference=reference, by=by), says)
    else:
        says = gettext("On its way once more.")
        attempt(request, lambda: retry_refund(reference=reference, by=by), says)
    return redirect("console:work")


@require_POST
def rejection(request: HttpRequest) -> HttpResponseRedirect:
    """Decide about a rejection: for the buyer, or against them with a word why; back to where it was decided.

    Raises:
        UnknownRejection: none has this reference.
    """
    given = request.POST
    found = rejection_named(given.get("rejection", ""))
    is_granted = given.get("do") == "grant"
    attempt(
        request,
        lambda: settle_rejection(
            reference=found.reference,
            is_granted=is_granted,
            answer=given.get("answer", ""),
            by=login_of(request),
        ),
        gettext("Granted: the money goes back.") if is_granted else gettext("Refused."),
    )
    if given.get("back") == "order":
        return redirect("console:order", found.delivery.order.reference)
    return redirect("console:work")


def _number(text: str) -> int:
    """A row's number; 0, which nothing has, for nonsense."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
