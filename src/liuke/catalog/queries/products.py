"""What is offered, and how is it found?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_

from django.db.models import BooleanField, Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import StrIndex

from liuke.base import ids
from liuke.base.prepared import Prepared
from liuke.catalog.errors import UnknownProduct, UnknownScene, UnknownVariant
from liuke.catalog.models import BundlePart, Follow, Product, Scene, Variant
from liuke.catalog.queries.stock import stock_of
from liuke.catalog.rules import Question, read_order_form
from liuke.catalog.search_words import normal, query_grams, query_words
from liuke.merchants.models import Merchant

STOCK_SHOWN = 99  # a page says "99+" above it
_VARIANT = Prepared(
    lambda reference: Variant.objects.select_related("product__merchant", "product__scene").filter(
        reference=reference
    ),
    str,
)


def scenes() -> QuerySet[Scene]:
    """What members come for, in the operator's order."""
    return Scene.objects.order_by("position", "key")


def scene_named(key: str) -> Scene:
    """The scene of that key.

    Raises:
        UnknownScene: there is none.
    """
    scene = Scene.objects.filter(key=key).first()
    if scene is None:
        raise UnknownScene
    return scene


def has_something_on_offer() -> bool:
    """Whether a visitor finds anything in the shop."""
    return Product.objects.filter(state="listed", merchant__state="active").exists()


def product_by_reference(text: str, merchant: Merchant | None = None) -> Product:
    """The product a reference names, whatever its state; with `merchant`, among theirs only.

    Raises:
        UnknownProduct: none has it.
    """
    found = Product.objects.select_related("merchant", "scene").filter(
        reference=ids.read_reference(text) or ""
    )
    product = (found.filter(merchant=merchant) if merchant is not None else found).first()
    if product is None:
        raise UnknownProduct
    return product


def variant_by_reference(text: str, merchant: Merchant | None = None) -> Variant:
    """The variant a reference names, with its product; with `merchant`, among theirs only.

    Raises:
        UnknownVariant: none has it.
    """
    variant = _VARIANT.first(ids.read_reference(text) or "")
    if variant is None or merchant not in (None, variant.product.merchant):
        raise UnknownVariant
    return variant


def variants_of(product: Product) -> QuerySet[Variant]:
    """Everything there is to choose of a product, hidden variants too."""
    return Variant.objects.filter(product=product).select_related("product").order_by("position")


def parts_of(variant: Variant) -> QuerySet[BundlePart]:
    """What a bundle holds."""
    return BundlePart.objects.filter(bundle=variant).select_related("part__product").order_by("id")


def search(
    text: str = "",
    scene: str = "",
    *,
    merchant: Merchant | None = None,
    is_for_members: bool = True,
) -> QuerySet[Product]:
    """Products that fit every word, with `from_fen`, the lowest price of their listed variants (None without one).

    The best known first: those called so before those that only mention it, then by number sold. `is_for_members`
    leaves out what nobody can buy.
    """
    found = Product.objects.select_related("merchant", "scene").defer(
        "body", "search_text", "search_grams"
    )
    if is_for_members:
        found = found.filter(state="listed", merchant__state="active")
    if merchant is not None:
        found = found.filter(merchant=merchant)
    if scene:
        found = found.filter(scene=scene)
    words = query_words(text)
    if words:
        says = reduce(and_, (Q(search_text__contains=word) for word in words))
        found = found.filter(says, search_grams__contains=query_grams(words))
    elif normal(text):
        found = found.none()  # nothing but signs
    prices = Variant.objects.filter(product=OuterRef("pk"), state="listed").order_by("price_fen")
    ranked = found.annotate(from_fen=Subquery(prices.values("price_fen")[:1]))
    if not words:
        return ranked.order_by("-sold_count", "-id")
    is_called_so = Case(
        When(Q(title__icontains=words[0]) | Q(subject__icontains=words[0]), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    return ranked.annotate(
        is_called_so=is_called_so, place=StrIndex("search_text", Value(words[0]))
    ).order_by("-is_called_so", "-sold_count", "place", "-id")


@dataclass(frozen=True)
class VariantOffer:
    """A variant as a member sees it. `left` is None without end, and counted no further than `STOCK_SHOWN`."""

    variant: Variant
    left: int | None

    @property
    def is_in_stock(self) -> bool:
        return self.left is None or self.left > 0


@dataclass(frozen=True)
class ProductPage:
    """A product that can be bought, what there is to choose, and what a buyer has to tell."""

    product: Product
    offers: tuple[VariantOffer, ...]
    questions: tuple[Question, ...]

    @property
    def is_in_stock(self) -> bool:
        return any(offer.is_in_stock for offer in self.offers)


def product_page(text: str) -> ProductPage:
    """Everything a member needs to choose.

    Raises:
        UnknownProduct: there is none of this reference, or it is not offered.
    """
    product = product_by_reference(text)
    if product.state != "listed" or product.merchant.state != "active":
        raise UnknownProduct
    variants = list(variants_of(product).filter(state="listed"))
    left = stock_of([variant.pk for variant in variants], at_most=STOCK_SHOWN + 1)
    return ProductPage(
        product=product,
        offers=tuple(VariantOffer(variant, left[variant.pk]) for variant in variants),
        questions=read_order_form(product.order_form),
    )


def follows(person_id: int) -> QuerySet[Follow]:
    """What a person follows, the latest first."""
    return Follow.objects.filter(person_id=person_id).select_related("product").order_by("-id")
