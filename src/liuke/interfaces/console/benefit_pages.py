"""The pages on which levels are changed and offers and coupons are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_http_methods

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.interfaces.console.benefit_forms import (
    BenefitForm,
    CouponForm,
    GiftForm,
    SpecialForm,
    gifts,
    ladder_typed,
    level_forms,
    scopes,
)
from liuke.interfaces.console.benefits import first_click, moved_says
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.once import new_token
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui.refusals import status_of
from liuke.membership import queries
from liuke.membership.actions import make_coupon_kind, make_offer, set_levels

OFFER_NAMES = {
    "first_order": gettext_noop("New first-order offer"),
    "special_price": gettext_noop("New special price"),
}
_WAYS = {
    "percent": gettext_noop("A percentage off"),
    "off": gettext_noop("An amount off"),
    "price": gettext_noop("A price of its own"),
}
_FORMS: dict[str, type[GiftForm | SpecialForm]] = {
    "first_order": GiftForm,
    "special_price": SpecialForm,
}
_STANDARD = {"how": "percent", "quantity_max": 1, "gift_quantity": 1}
_COUPON_STANDARD = {"how": "off", "per_person_max": 1, "valid_days": 7}


@require_http_methods(["GET", "POST"])
def levels(request: HttpRequest, key: str) -> HttpResponse:
    """What the levels of a ladder ask for and give.

    Raises:
        UnknownLadder: there is none of that key.
    """
    ladder = queries.ladder_named(key)
    rows = level_forms(request.POST or None, queries.levels(key))
    wrong, status = "", 200
    if request.method == "POST":
        wrong, status = gettext("Not saved: something below needs another look."), 400
        checked = [row.is_left_out or row.is_valid() for row in rows]  # each says what is wrong
        if request.POST and all(checked):
            if not first_click(request):
                return redirect("console:benefits")
            try:
                moved = set_levels(key=key, levels=ladder_typed(rows), by=login_of(request))
            except Refusal as refusal:
                wrong, status = str(refusal), status_of(refusal)
            else:
                messages.success(request, moved_says(moved))
                return redirect("console:benefits")
    context = {"ladder": ladder, "rows": rows, "wrong": wrong}
    return _render(request, "console/benefit_levels.html", context, status)


@require_http_methods(["GET", "POST"])
def new_offer(request: HttpRequest, kind: str) -> HttpResponse:
    """Make an offer of a kind: a gift with the first order, or a special price for plans to grant."""
    form_class = _FORMS[kind]
    form: GiftForm | SpecialForm = (
        form_class(request.POST) if request.method == "POST" else form_class(initial=_STANDARD)
    )

    def make() -> str:
        offer = make_offer(kind=kind, by=login_of(request), **form.said())
        return f"o-{offer.reference}"

    more = {"kind": kind, "name": gettext(OFFER_NAMES[kind]), "gifts": gifts()}
    return _made(request, form, make) or _form_page(
        request, "console/benefit_offer.html", form, more
    )


@require_http_methods(["GET", "POST"])
def new_coupon(request: HttpRequest) -> HttpResponse:
    """Make a kind of coupon."""
    form = (
        CouponForm(request.POST)
        if request.method == "POST"
        else CouponForm(initial=_COUPON_STANDARD)
    )

    def make() -> str:
        kind = make_coupon_kind(by=login_of(request), **form.said())
        return f"c-{kind.reference}"

    return _made(request, form, make) or _form_page(
        request, "console/benefit_coupon.html", form, {}
    )


def _made(request: HttpRequest, form: BenefitForm, make: Callable[[], str]) -> HttpResponse | None:
    """The way back once a good form took effect; None where it has to be shown (again)."""
    if not form.is_valid():
        return None
    there = reverse("console:benefits")
    if not first_click(request):
        return redirect(there)
    try:
        made = make()
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None
    messages.success(request, gettext("Made."))
    return redirect(f"{there}#{made}")


def _form_page(
    request: HttpRequest, template: str, form: BenefitForm, more: dict[str, Any]
) -> HttpResponse:
    context = {
        **more,
        "form": form,
        "scopes": scopes(),
        "ways": [(key, gettext(_WAYS[key])) for key in form.ways],
        "today": clock.today(),
    }
    return _render(request, template, context, 400 if form.is_bound else 200)


def _render(
    request: HttpRequest, template: str, context: dict[str, Any], status: int
) -> HttpResponse:
    around = {
        "frame": frame_of(request, "benefits"),
        "currency": settings.LIUKE_CURRENCY,
        "once": new_token(),
    }
    return render(request, template, {**around, **context}, status=status)
