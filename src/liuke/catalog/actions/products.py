"""Describe a product, and offer it or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext, gettext_noop

from liuke.base import clock, ids
from liuke.catalog import search_words
from liuke.catalog.actions.wishes import tell_back
from liuke.catalog.errors import (
    BadChoice,
    BadNumber,
    BadText,
    NothingToSell,
    TextTooLong,
    UnknownProduct,
)
from liuke.catalog.models import Product, Scene, Variant
from liuke.catalog.rules import (
    ACCEPT_DAYS_MAX,
    ARRIVAL_MINUTES_MAX,
    LIMIT_MAX,
    PRODUCT_KINDS,
    REFERENCE_LETTERS,
    SOURCE_KINDS,
    read_order_form,
)
from liuke.merchants.models import Merchant
from liuke.people.actions import record_act
from liuke.people.models import Login

_TEXTS = {
    "title": (gettext_noop("The title"), 80),
    "subject": (gettext_noop("The subject"), 40),
    "subtitle": (gettext_noop("The line below the title"), 120),
    "body": (gettext_noop("The description"), 5000),
    "source_text": (gettext_noop("Where it comes from"), 300),
    "coverage_text": (gettext_noop("What is covered"), 300),
}
_NUMBERS = {
    "arrival_minutes": (gettext_noop("The arrival promise"), 0, ARRIVAL_MINUTES_MAX),
    "accept_days": (gettext_noop("The days to accept"), 0, ACCEPT_DAYS_MAX),
    "per_order_max": (gettext_noop("The limit of an order"), 1, LIMIT_MAX),
    "per_person_max": (gettext_noop("The limit of a person"), 1, LIMIT_MAX),
}


@dataclass(frozen=True)
class About:
    """What is said of a product. Limits of None limit nothing; `order_form` is a list of questions as plain data."""

    scene: Scene
    title: str
    subject: str = ""
    subtitle: str = ""
    body: str = ""
    source_kind: str = "merchant"
    source_text: str = ""
    coverage_text: str = ""
    arrival_minutes: int = 0
    accept_days: int = 3
    per_order_max: int | None = None
    per_person_max: int | None = None
    order_form: Sequence[Mapping[str, Any]] = ()


@transaction.atomic
def make_product(*, merchant: Merchant, kind: str, about: About, by: Login | None) -> Product:
    """Write down a new product; it is a draft until it is listed.

    Raises:
        BadChoice: a kind or source that does not exist.
        BadNumber: a promise or limit outside what makes sense.
        BadOrderForm: a question that cannot be asked.
        BadText: no title. TextTooLong: a text longer than its room.
    """
    if kind not in PRODUCT_KINDS:
        raise BadChoice(word=kind)
    now = clock.now()
    product = Product(
        reference=ids.new_reference(REFERENCE_LETTERS),
        merchant=merchant,
        kind=kind,
        made_at=now,
        changed_at=now,
    )
    _describe(product, about)
    product.save(force_insert=True)
    record_act(by=by, verb="product.make", about=product.reference, title=product.title)
    return product


@transaction.atomic
def edit_product(*, product: Product, about: About, by: Login | None) -> Product:
    """Say something else of a product. Orders keep what they were placed with.

    Raises:
        BadChoice, BadNumber, BadOrderForm, BadText, TextTooLong: as for a new one.
    """
    held = _held(product)
    _describe(held, about)
    held.changed_at = clock.now()
    held.save()
    record_act(by=by, verb="product.edit", about=held.reference, title=held.title)
    return held


@transaction.atomic
def list_product(*, product: Product, by: Login | None) -> None:
    """Offer a product to members.

    Raises:
        NothingToSell: it has no listed variant.
    """
    variants = Variant.objects.filter(product=product, state="listed").values_list("pk", flat=True)
    if not variants:
        raise NothingToSell
    _set_state(product, "listed", "product.list", by)
    tell_back(variants)


@transaction.atomic
def hide_product(*, product: Product, by: Login | None) -> None:
    """Offer a product no longer; what was ordered is still delivered."""
    _set_state(product, "hidden", "product.hide", by)


@transaction.atomic
def count_sold(*, sold: Mapping[int, int]) -> None:
    """Add to the number sold that members see: product id → how many, less for what came back."""
    for product_id, quantity in sorted(sold.items()):
        enough = Product.objects.filter(pk=product_id, sold_count__gte=-quantity)
        enough.update(sold_count=F("sold_count") + quantity)


def _held(product: Product) -> Product:
    held = Product.objects.select_for_update(no_key=True).filter(pk=product.pk).first()
    if held is None:
        raise UnknownProduct
    return held


def _set_state(product: Product, state: str, verb: str, by: Login | None) -> None:
    held = _held(product)
    if held.state != state:
        held.state, held.changed_at = state, clock.now()
        held.save(update_fields=["state", "changed_at"])
        record_act(by=by, verb=verb, about=held.reference, title=held.title)


def _describe(product: Product, about: About) -> None:
    """Put what is said into the row, checked and made ready for the search."""
    if about.source_kind not in SOURCE_KINDS:
        raise BadChoice(word=about.source_kind)
    for field in fields(about):
        setattr(product, field.name, getattr(about, field.name))
    for name, (label, room) in _TEXTS.items():
        setattr(product, name, _text(getattr(about, name), gettext(label), room))
    if not product.title or "\n" in product.title:
        raise BadText(name=gettext("The title"), letters=_TEXTS["title"][1])
    for name, (label, least, most) in _NUMBERS.items():
        number = getattr(about, name)
        if number is not None and not least <= number <= most:
            raise BadNumber(name=gettext(label), least=least, most=most)
    product.order_form = [question.stored() for question in read_order_form(about.order_form)]
    product.search_text = search_words.search_text(
        (
            product.title,
            product.subject,
            product.subtitle,
            about.scene.name_zh,
            about.scene.name_en,
        )
    )
    product.search_grams = search_words.grams(product.search_text.split())


def _text(given: str, label: str, room: int) -> str:
    text = given.replace("\r\n", "\n").strip()
    is_odd = any(not letter.isprintable() and letter != "\n" for letter in text)
    if len(text) > room or is_odd:
        raise TextTooLong(name=label, letters=room)
    return text
