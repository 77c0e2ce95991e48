"""The forms of levels, offers and coupons: money as it is typed, read into what `membership` takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext

from liuke.base import clock
from liuke.base.errors import NotFound
from liuke.catalog import queries as catalog
from liuke.catalog.models import Product, Variant
from liuke.interfaces.console.product_forms import amount_text, fen, money_field
from liuke.interfaces.ui.benefit_words import scene_name
from liuke.membership.actions import LevelBounds
from liuke.membership.models import Level

NEW = "new"  # the row of a level that is not there yet
Choices = list[tuple[str, list[tuple[str, str]]]]


def scopes() -> Choices:
    """What an offer may be about, in groups: everything, a scene, a product or one of its variants."""
    everything = [("", gettext("Everything"))]
    scenes = [(f"scene:{scene.key}", scene_name(scene)) for scene in catalog.scenes()]
    found: Choices = [("", everything), (gettext("Scenes"), scenes)]
    for product, variants in _shelf().items():
        whole = (f"product:{product.reference}", gettext("All of %(it)s") % {"it": product.title})
        each = [(f"variant:{v.reference}", f"{product.title} · {v.name}") for v in variants]
        found.append((product.title, [whole, *each]))
    return found


def gifts() -> Choices:
    """What an order may bring with it: on offer, with nothing to be asked of whoever gets it."""
    return [
        (product.title, [(v.reference, f"{product.title} · {v.name}") for v in variants])
        for product, variants in _shelf().items()
        if not product.order_form
    ]


def _shelf() -> dict[Product, list[Variant]]:
    """What is on offer, by product."""
    on_offer = Variant.objects.filter(state="listed", product__state="listed")
    found: dict[Product, list[Variant]] = {}
    for variant in on_offer.select_related("product").order_by("product__title", "position", "id"):
        found.setdefault(variant.product, []).append(variant)
    return found


class BenefitForm(forms.Form):
    """What offers and coupons have in common: a name, what they are about, and the last day."""

    name = forms.CharField(max_length=60)
    scope = forms.CharField(required=False, max_length=60)
    ends_on = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    ways: tuple[str, ...] = ()  # in which the worth can be typed

    def clean_scope(self) -> dict[str, Any]:
        """The scene, product or variant; nothing for everything."""
        kind, _, key = self.cleaned_data["scope"].partition(":")
        readers: dict[str, Any] = {
            "scene": catalog.scene_named,
            "product": catalog.product_by_reference,
            "variant": catalog.variant_by_reference,
        }
        if not kind:
            return {}
        if kind not in readers:
            raise forms.ValidationError(gettext("Choose one of these."))
        try:
            return {kind: readers[kind](key)}
        except NotFound as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    def clean_ends_on(self) -> dt.date | None:
        """A day that is not over."""
        on: dt.date | None = self.cleaned_data["ends_on"]
        if on is not None and on < clock.today():
            raise forms.ValidationError(gettext("This day is over."))
        return on

    def said(self) -> dict[str, Any]:
        """The fields as `membership` takes them."""
        on = self.cleaned_data["ends_on"]
        ends_at = clock.end_of_day(on) if on else None
        return {"name": self.cleaned_data["name"], "ends_at": ends_at, **self.cleaned_data["scope"]}

    def money(self, name: str) -> int | None:
        """An amount above nothing; None, and said at the field, where there is none."""
        amount = self.cleaned_data.get(name)
        if not amount:
            self.needs(name, gettext("Type an amount above nothing, such as 9.50."))
            return None
        return fen(amount)

    def needs(self, name: str, says: str) -> None:
        """Say at a field that something has to be typed, unless something else is wrong there."""
        if name not in self.errors:
            self.add_error(name, says)

    def percent(self, name: str) -> int | None:
        """A percentage; None, and said at the field, where there is none."""
        percent: int | None = self.cleaned_data.get(name)
        if percent is None:
            self.needs(name, gettext("Type a percentage from 1 to 99."))
        return percent


class GiftForm(BenefitForm):
    """A first-order offer: so much paid in its scope brings something with it."""

    min_payable = money_field()
    gift = forms.CharField(max_length=20)
    gift_quantity = forms.IntegerField(min_value=1, max_value=100)

    def clean_gift(self) -> Variant:
        """Something on offer that asks nothing."""
        reference = self.cleaned_data["gift"]
        known = {choice for _, choices in gifts() for choice, _ in choices}
        if reference not in known:
            raise forms.ValidationError(gettext("Choose one of these."))
        return catalog.variant_by_reference(reference)

    def clean(self) -> dict[str, Any]:
        """Nothing is brought by an order of nothing."""
        self.money("min_payable")
        return self.cleaned_data

    def said(self) -> dict[str, Any]:
        """The fields as `make_offer` takes them."""
        given = self.cleaned_data
        return {
            **super().said(),
            "min_payable_fen": fen(given["min_payable"]),
            "gift_variant": given["gift"],
            "gift_quantity": given["gift_quantity"],
        }


class SpecialForm(BenefitForm):
    """A special price: percent off, an amount off each piece, or a price of each piece."""

    ways = ("percent", "off", "price")
    how = forms.ChoiceField(choices=[(key, key) for key in ways])
    percent_off = forms.IntegerField(min_value=1, max_value=99, required=False)
    off = money_field(is_required=False)
    price = money_field(is_required=False)
    quantity_max = forms.IntegerField(min_value=1, max_value=1000)

    def clean(self) -> dict[str, Any]:
        """The figure that was chosen is there; one price for everything would be a mistake."""
        given, how = self.cleaned_data, self.cleaned_data.get("how")
        self.worth: dict[str, int | None] = {}
        if how == "percent":
            self.worth = {"percent_off": self.percent("percent_off")}
        elif how == "off":
            self.worth = {"off_fen": self.money("off")}
        elif how == "price":
            self.worth = {"price_fen": self.money("price")}
            if not {"product", "variant"} & given.get("scope", {}).keys():
                self.needs("scope", gettext("One price needs one product or variant."))
        return given

    def said(self) -> dict[str, Any]:
        """The fields as `make_offer` takes them."""
        return {
            **super().said(),
            **self.worth,
            "quantity_max": self.cleaned_data["quantity_max"],
        }


class CouponForm(BenefitForm):
    """A kind of coupon: what it takes off, from which spend on, how many, how long, and for how much in all."""

    ways = ("off", "percent")
    how = forms.ChoiceField(choices=[(key, key) for key in ways])
    off = money_field(is_required=False)
    percent_off = forms.IntegerField(min_value=1, max_value=99, required=False)
    off_max = money_field(is_required=False)
    min_spend = money_field(is_required=False)
    per_person_max = forms.IntegerField(min_value=1, max_value=1000)
    valid_days = forms.IntegerField(min_value=1, max_value=3650)
    budget = money_field()

    def clean(self) -> dict[str, Any]:
        """The figures that were chosen are there, and the budget pays for one coupon at least."""
        how = self.cleaned_data.get("how")
        self.worth: dict[str, int | None] = {}
        most: int | None = None
        if how == "off":
            most = self.money("off")
            self.worth = {"off_fen": most}
        elif how == "percent":
            most = self.money("off_max")
            self.worth = {"percent_off": self.percent("percent_off"), "off_max_fen": most}
        budget = self.money("budget")
        if most and budget is not None and budget < most:
            self.needs("budget", gettext("This does not pay for a single coupon."))
        return self.cleaned_data

    def said(self) -> dict[str, Any]:
        """The fields as `make_coupon_kind` takes them."""
        given = self.cleaned_data
        return {
            **super().said(),
            **self.worth,
            "min_spend_fen": fen(given["min_spend"]),
            "per_person_max": given["per_person_max"],
            "valid_days": given["valid_days"],
            "budget_fen": fen(given["budget"]),
        }


class LevelForm(forms.Form):
    """One level of a ladder. The lowest asks for nothing, so nothing is typed there."""

    name = forms.CharField(max_length=40)
    spent_from = money_field()
    orders_from = forms.IntegerField(min_value=0, max_value=100_000)
    pays_percent = forms.IntegerField(min_value=1, max_value=100)

    def __init__(self, data: QueryDict | None, *, key: str, level: Level | None):
        super().__init__(data, prefix=key, initial=_shown(level) if level else None)
        self.key, self.is_new = key, level is None
        self.is_lowest = level is not None and level.position == 0
        if self.is_lowest:
            del self.fields["spent_from"], self.fields["orders_from"]
        if self.is_new:
            self.empty_permitted, self.use_required_attribute = True, False

    @property
    def is_left_out(self) -> bool:
        """Whether the spare row was left as it is."""
        return self.is_new and not self.has_changed()

    def bounds(self, key: str) -> LevelBounds:
        """The level as `set_levels` takes it."""
        given = self.cleaned_data
        spent, orders = given.get("spent_from"), given.get("orders_from", 0)
        return LevelBounds(key, given["name"], fen(spent), orders, given["pays_percent"])


def _shown(level: Level) -> dict[str, Any]:
    return {
        "name": level.name,
        "spent_from": amount_text(level.spent_from_fen),
        "orders_from": level.orders_from,
        "pays_percent": level.pays_percent,
    }


def level_forms(data: QueryDict | None, levels: Sequence[Level]) -> list[LevelForm]:
    """A form for each level, lowest first, and one to add a level."""
    rows = [LevelForm(data, key=level.key, level=level) for level in levels]
    return [*rows, LevelForm(data, key=NEW, level=None)]


def ladder_typed(rows: Sequence[LevelForm]) -> list[LevelBounds]:
    """What was typed in valid rows, each level where what it asks for puts it."""
    used = {row.key for row in rows}
    fresh = next(key for key in (f"level{n}" for n in range(1, 1000)) if key not in used)
    typed = [row.bounds(fresh if row.is_new else row.key) for row in rows if not row.is_left_out]
    return sorted(typed, key=lambda level: (level.spent_from_fen, level.orders_from))
