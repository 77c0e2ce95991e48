"""What can be chosen of a product: add a variant, change it, count its stock, offer it or not."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from liuke.base.errors import Refusal
from liuke.catalog import queries
from liuke.catalog.actions import (
    add_stock,
    edit_variant,
    make_variant,
    set_parts,
    set_variant_state,
)
from liuke.catalog.models import Product, Variant
from liuke.interfaces.console.product_forms import VariantForm
from liuke.interfaces.console.products import product_page
from liuke.interfaces.console.telling import attempt, login_of


@require_POST
def add(request: HttpRequest, reference: str) -> HttpResponse:
    """Add something to choose.

    Raises:
        UnknownProduct: none has this reference.
    """
    found = queries.product_by_reference(reference)
    form = VariantForm(request.POST, product=found)
    if not form.is_valid():
        return product_page(request, found, form=form, status=400)
    given = form.cleaned_data
    try:
        make_variant(
            product=found,
            stock_kind=given["stock_kind"],
            stock_count=given["stock_count"] or 0,
            parts=form.parts if given["stock_kind"] == "bundle" else (),
            by=login_of(request),
            **form.said(),
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return product_page(request, found, form=form, status=400)
    return redirect("console:product", found.reference)


@require_POST
def edit(request: HttpRequest, reference: str) -> HttpResponse:
    """Another name, another price, other parts.

    Raises:
        UnknownVariant: none has this reference.
    """
    variant = queries.variant_by_reference(reference)
    form = VariantForm(request.POST, product=variant.product)
    if form.is_valid():
        try:
            _change(variant, form, request)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    if form.errors:
        return product_page(request, variant.product, form=form, editing=variant, status=400)
    return _back(variant.product)


@require_POST
def stock(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Add to counted stock, or take from it.

    Raises:
        UnknownVariant: none has this reference.
    """
    variant = queries.variant_by_reference(reference)
    text = request.POST.get("quantity", "").strip()
    digits = text.lstrip("+-")
    quantity = int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 9 else 0
    attempt(
        request,
        lambda: add_stock(variant=variant, quantity=quantity, by=login_of(request)),
        gettext("%(n)s more in stock.") % {"n": quantity},
    )
    return _back(variant.product)


@require_POST
def offer(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Offer a variant, or do so no longer.

    Raises:
        UnknownVariant: none has this reference.
    """
    variant, is_listed = queries.variant_by_reference(reference), request.POST.get("do") != "hide"
    says = gettext("%(name)s is offered.") if is_listed else gettext("%(name)s is hidden.")
    attempt(
        request,
        lambda: set_variant_state(variant=variant, is_listed=is_listed, by=login_of(request)),
        says % {"name": variant.name},
    )
    return _back(variant.product)


def _change(variant: Variant, form: VariantForm, request: HttpRequest) -> None:
    by = login_of(request)
    if variant.stock_kind == "bundle":
        set_parts(variant=variant, parts=form.parts, by=by)
    edit_variant(variant=variant, by=by, **form.said())


def _back(product: Product) -> HttpResponseRedirect:
    return redirect("console:product", product.reference)
