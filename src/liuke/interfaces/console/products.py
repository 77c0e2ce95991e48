"""Products: what is offered, what is left, and how each is described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from liuke.base.errors import Refusal
from liuke.catalog import queries
from liuke.catalog.actions import edit_product, hide_product, list_product, make_product
from liuke.catalog.models import Product, Variant
from liuke.interfaces.console.filters import address, page_number
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.product_forms import (
    SPARE_PARTS,
    SPARE_STEPS,
    NewProductForm,
    ProductForm,
    VariantForm,
    amount_text,
    field_kinds,
    from_product,
    question_rows,
    typed_questions,
)
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui.catalog_words import KINDS, KINDS_SAY, PRODUCT_STATES, SOURCES, STOCK_KINDS
from liuke.interfaces.ui.goods import ProductLine, product_lines
from liuke.merchants.queries import merchants

ROWS_A_PAGE = 30
_STANDARD = {"arrival_minutes": 0, "accept_days": 3, "source_kind": "merchant"}


@dataclass(frozen=True)
class VariantLine:
    """A variant as its product's page shows it."""

    variant: Variant
    left: int | None
    steps: list[tuple[object, str]]
    parts: list[tuple[str, object]]

    @property
    def price(self) -> str:
        return amount_text(self.variant.price_fen)

    @property
    def list_price(self) -> str:
        is_same = self.variant.list_price_fen == self.variant.price_fen
        return "" if is_same else amount_text(self.variant.list_price_fen)


@require_GET
def products(request: HttpRequest) -> HttpResponse:
    """Everything that is offered or could be: searched, by scene, by state."""
    given = request.GET
    text = given.get("search", "").replace("\x00", "").strip()[:80]
    scene, state = given.get("scene", ""), given.get("state", "")
    found = queries.search(text, scene, is_for_members=False)
    if state in PRODUCT_STATES:
        found = found.filter(state=state)
    page = Paginator(found, ROWS_A_PAGE).get_page(page_number(given))
    kept = {"search": text, "scene": scene, "state": state}
    lines: list[ProductLine] = product_lines(list(page))

    def chip(name: str, key: str, field: str) -> dict[str, Any]:
        href = address("console:products", **{**kept, field: key})
        return {"name": name, "href": href, "is_on": kept[field] == key}

    context = {
        "frame": frame_of(request, "products"),
        "lines": lines,
        "page": page,
        "kept": kept,
        "scenes": [
            chip(gettext("All"), "", "scene"),
            *(chip(s.name_zh, s.key, "scene") for s in queries.scenes()),
        ],
        "states": [
            chip(gettext("All"), "", "state"),
            *(chip(gettext(name), key, "state") for key, name in PRODUCT_STATES.items()),
        ],
        "low": queries.low_stock(),
        "previous_href": address("console:products", **kept, page=page.number - 1)
        if page.has_previous()
        else "",
        "next_href": address("console:products", **kept, page=page.number + 1)
        if page.has_next()
        else "",
    }
    return render(request, "console/products.html", context)


@require_http_methods(["GET", "POST"])
def new_product(request: HttpRequest) -> HttpResponse:
    """Describe a product that is not there yet."""
    selling = [merchant for merchant in merchants() if merchant.state != "closed"]
    if request.method == "GET":
        first = {"merchant": selling[0].reference if len(selling) == 1 else "", "kind": "card_key"}
        form = NewProductForm(merchants=selling, initial={**_STANDARD, **first})
        return _form_page(request, form)
    form = NewProductForm(request.POST, merchants=selling)
    if not form.is_valid():
        return _form_page(request, form, status=400)
    try:
        product = make_product(
            merchant=form.merchant_chosen(),
            kind=form.cleaned_data["kind"],
            about=form.about(),
            by=login_of(request),
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return _form_page(request, form, status=400)
    return redirect("console:product", product.reference)


@require_GET
def product(request: HttpRequest, reference: str) -> HttpResponse:
    """A product with its variants.

    Raises:
        UnknownProduct: none has this reference.
    """
    return product_page(request, queries.product_by_reference(reference))


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, reference: str) -> HttpResponse:
    """Say something else of a product.

    Raises:
        UnknownProduct: none has this reference.
    """
    found = queries.product_by_reference(reference)
    if request.method == "GET":
        return _form_page(request, ProductForm(initial=from_product(found)), found)
    form = ProductForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, found, status=400)
    try:
        edit_product(product=found, about=form.about(), by=login_of(request))
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return _form_page(request, form, found, status=400)
    return redirect("console:product", found.reference)


@require_POST
def offer(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Offer a product to members, or do so no longer.

    Raises:
        UnknownProduct: none has this reference.
    """
    found, by = queries.product_by_reference(reference), login_of(request)
    if request.POST.get("do") == "hide":
        attempt(request, lambda: hide_product(product=found, by=by), gettext("Hidden."))
    else:
        attempt(request, lambda: list_product(product=found, by=by), gettext("On offer now."))
    return redirect("console:product", found.reference)


def product_page(
    request: HttpRequest,
    found: Product,
    *,
    form: VariantForm | None = None,
    editing: Variant | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a product, with a variant's form that was refused when there is one."""
    variants = list(queries.variants_of(found))
    left = queries.stock_of([variant.pk for variant in variants], at_most=100_000)
    plain = [variant for variant in variants if variant.stock_kind != "bundle"]
    context = {
        "frame": frame_of(request, "products"),
        "product": found,
        "lines": [_variant_line(variant, left[variant.pk]) for variant in variants],
        "questions": found.order_form,
        "form": form,
        "editing": editing,
        "blank_steps": [("", "")] * 3,
        "blank_parts": range(3),
        "plain": plain,
        "stock_kinds": [
            (key, gettext(name))
            for key, name in STOCK_KINDS.items()
            if (key == "bundle" and plain)
            or (key != "bundle" and (found.kind == "card_key") == (key == "keys"))
        ],
        "currency": settings.LIUKE_CURRENCY,
    }
    return render(request, "console/product.html", context, status=status)


def _variant_line(variant: Variant, left: int | None) -> VariantLine:
    steps: list[tuple[object, str]] = [(n, amount_text(f)) for n, f in variant.quantity_prices]
    parts: list[tuple[str, object]] = []
    if variant.stock_kind == "bundle":
        parts = [(part.part.reference, part.quantity) for part in queries.parts_of(variant)]
        parts += [("", "")] * SPARE_PARTS
    return VariantLine(variant, left, steps + [("", "")] * SPARE_STEPS, parts)


def _form_page(
    request: HttpRequest, form: ProductForm, found: Product | None = None, status: int = 200
) -> HttpResponse:
    typed = typed_questions(form.data) if form.is_bound else (found.order_form if found else [])
    context = {
        "frame": frame_of(request, "products"),
        "form": form,
        "product": found,
        "kinds": [(key, gettext(name), gettext(KINDS_SAY[key])) for key, name in KINDS.items()],
        "sources": [(key, gettext(name)) for key, name in SOURCES.items()],
        "questions": question_rows(typed),
        "field_kinds": field_kinds(),
    }
    return render(request, "console/product_form.html", context, status=status)
