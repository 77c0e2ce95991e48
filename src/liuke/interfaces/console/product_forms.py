"""The forms of products and variants: what may be typed, read into what `catalog` takes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext

from liuke.base.money import exponent
from liuke.catalog import queries
from liuke.catalog.actions import About
from liuke.catalog.models import Product, Variant
from liuke.interfaces.ui.catalog_words import FIELD_KINDS, KINDS, SOURCES, STOCK_KINDS
from liuke.merchants.models import Merchant

SPARE_QUESTIONS, SPARE_STEPS, SPARE_PARTS = 2, 2, 2
QUESTIONS_MAX, STEPS_MAX, PARTS_MAX = 12, 9, 20
_CHOICE_SIGNS = ("\n", "，", "、", ",")


def money_field(*, is_required: bool = True) -> forms.DecimalField:
    """An amount in whole units of the currency."""
    places = exponent(settings.LIUKE_CURRENCY)
    return forms.DecimalField(
        min_value=0, max_digits=10, decimal_places=places, required=is_required
    )


def fen(amount: Decimal | None) -> int:
    """What was typed, in minor units."""
    return int((amount or Decimal()) * 10 ** exponent(settings.LIUKE_CURRENCY))


def amount_text(amount_fen: int) -> str:
    """An amount as it is typed: `9.5`."""
    return plain(Decimal(amount_fen) / 10 ** exponent(settings.LIUKE_CURRENCY))


def plain(number: Decimal) -> str:
    """`5`, `0.05`: no needless zeros, no exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class ProductForm(forms.Form):
    """What is said of a product."""

    title = forms.CharField(max_length=80)
    subject = forms.CharField(max_length=40, required=False)
    subtitle = forms.CharField(max_length=120, required=False)
    body = forms.CharField(max_length=5000, required=False)
    scene = forms.ChoiceField()
    source_kind = forms.ChoiceField(choices=list(SOURCES.items()))
    source_text = forms.CharField(max_length=300, required=False)
    coverage_text = forms.CharField(max_length=300, required=False)
    arrival_minutes = forms.IntegerField(min_value=0, max_value=43_200)
    accept_days = forms.IntegerField(min_value=0, max_value=90)
    per_order_max = forms.IntegerField(min_value=1, max_value=10_000, required=False)
    per_person_max = forms.IntegerField(min_value=1, max_value=10_000, required=False)

    def __init__(self, data: QueryDict | None = None, **more: Any) -> None:
        super().__init__(data, **more)
        self.scenes = list(queries.scenes())
        self._field("scene").choices = [(scene.key, scene.key) for scene in self.scenes]

    def about(self) -> About:
        """The fields as `catalog` takes them."""
        given = dict(self.cleaned_data)
        scene = next(scene for scene in self.scenes if scene.key == given.pop("scene"))
        for name in ("kind", "merchant"):
            given.pop(name, None)
        return About(scene=scene, order_form=typed_questions(self.data), **given)

    def _field(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field


class NewProductForm(ProductForm):
    """A product that is not there yet: whose, and of what kind, for ever."""

    kind = forms.ChoiceField(choices=list(KINDS.items()))
    merchant = forms.ChoiceField()

    def __init__(self, data: QueryDict | None = None, *, merchants: list[Merchant], **more: Any):
        super().__init__(data, **more)
        self.merchants = merchants
        self._field("merchant").choices = [(m.reference, m.name) for m in merchants]

    def merchant_chosen(self) -> Merchant:
        """Whose product it will be."""
        reference = self.cleaned_data["merchant"]
        return next(m for m in self.merchants if m.reference == reference)


class VariantForm(forms.Form):
    """A variant's name, prices and mark; a new one also says how it is stocked."""

    name = forms.CharField(max_length=80)
    price = money_field()
    list_price = money_field(is_required=False)
    low_stock_at = forms.IntegerField(min_value=0, max_value=10_000_000, required=False)
    stock_kind = forms.ChoiceField(choices=list(STOCK_KINDS.items()), required=False)
    stock_count = forms.IntegerField(min_value=0, max_value=10_000_000, required=False)

    def __init__(self, data: QueryDict | None = None, *, product: Product, **more: Any) -> None:
        super().__init__(data, **more)
        self.product = product
        self.steps: list[list[int]] = []
        self.parts: list[tuple[Variant, int]] = []

    def clean(self) -> dict[str, Any]:
        """The quantity prices, and the parts of a bundle, which stand in rows of their own."""
        self.steps = [list(step) for step in self._pairs("step", STEPS_MAX, self._step)]
        known = {v.reference: v for v in queries.variants_of(self.product)}
        self.parts = [
            part
            for part in self._pairs("part", PARTS_MAX, lambda r, n: (known[r], int(n or 1)))
            if isinstance(part, tuple)
        ]
        return self.cleaned_data

    def said(self) -> dict[str, Any]:
        """The fields that a new variant and a changed one have in common, as `catalog` takes them."""
        given = self.cleaned_data
        list_price = given["list_price"]
        return {
            "name": given["name"],
            "price_fen": fen(given["price"]),
            "list_price_fen": None if list_price is None else fen(list_price),
            "quantity_prices": self.steps,
            "low_stock_at": given["low_stock_at"],
        }

    def _pairs(self, name: str, most: int, read: Any) -> list[Any]:
        """Rows of two boxes each, those whose first box is empty left out."""
        found = []
        for number in range(most):
            first = self.data.get(f"{name}-{number}-of", "").strip()
            second = self.data.get(f"{name}-{number}-is", "").strip()
            if not first:
                continue
            try:
                found.append(read(first, second))
            except (ArithmeticError, KeyError, ValueError, forms.ValidationError):
                self.add_error(None, gettext("Row %(n)s cannot be read.") % {"n": number + 1})
        return found

    @staticmethod
    def _step(start: str, price: str) -> tuple[int, int]:
        return int(start), fen(money_field().clean(price))


def typed_questions(data: Any) -> list[dict[str, Any]]:
    """The order form as it was typed in numbered rows; a row without a label is none."""
    found: list[dict[str, Any]] = []
    for number in range(QUESTIONS_MAX + SPARE_QUESTIONS):
        label = data.get(f"q-{number}-label", "").strip()
        if not label:
            continue
        kind = data.get(f"q-{number}-kind", "")
        choices = data.get(f"q-{number}-choices", "")
        for sign in _CHOICE_SIGNS[1:]:
            choices = choices.replace(sign, "\n")
        found.append(
            {
                "key": data.get(f"q-{number}-key", "").strip() or f"q{number + 1}",
                "label": label,
                "kind": kind,
                "pattern": data.get(f"q-{number}-pattern", "").strip() if kind == "text" else "",
                "choices": [c.strip() for c in choices.split("\n") if c.strip()]
                if kind == "choice"
                else [],
                "is_required": data.get(f"q-{number}-is_required") == "1",
                "help": data.get(f"q-{number}-help", "").strip(),
            }
        )
    return found


def question_rows(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an order form as the page draws them, with some empty ones."""
    free = min(len(questions) + SPARE_QUESTIONS, QUESTIONS_MAX) - len(questions)
    keys = {question["key"] for question in questions}
    names = (f"q{n}" for n in range(1, 100) if f"q{n}" not in keys)
    empty = [{"key": next(names), "kind": "text", "is_required": True} for _ in range(free)]
    return [{**row, "choices": "\n".join(row.get("choices", []))} for row in [*questions, *empty]]


def from_product(product: Product) -> dict[str, Any]:
    """What the form shows of a product that is there."""
    names = [name for name in ProductForm.base_fields if name != "scene"]
    return {**{name: getattr(product, name) for name in names}, "scene": product.scene_id}


def field_kinds() -> list[tuple[str, str]]:
    """What a question may ask for, named."""
    return [(key, gettext(name)) for key, name in FIELD_KINDS.items()]
