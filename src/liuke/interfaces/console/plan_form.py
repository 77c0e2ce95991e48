"""The form of a plan: what may be typed, read into what `engagement` takes, and refusals put beside their field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext

from liuke.analytics import queries as analytics
from liuke.analytics.models import Segment, Source
from liuke.base import clock
from liuke.base.errors import Invalid
from liuke.base.money import exponent
from liuke.engagement.errors import BadPlan, BadText, TextMissing
from liuke.engagement.models import PlanVersion
from liuke.engagement.queries import PlanTemplate
from liuke.interfaces.console.filters import Filters
from liuke.interfaces.ui.benefit_words import offer_says, scope_says
from liuke.interfaces.ui.outreach_words import CHANNELS, PURPOSES
from liuke.membership import queries as membership
from liuke.membership.models import Offer


def _money(places: int) -> forms.DecimalField:
    return forms.DecimalField(min_value=0, max_digits=12, decimal_places=places, required=False)


SPECIAL_DAYS, SPECIAL_DAYS_MAX = 7, 90


class PlanForm(forms.Form):
    """What a plan says. Amounts are typed in whole units of the currency, shares in percent.

    `audience` stands for the filters where none can say it. A special price can be chosen for the shop's own members
    while some are in force; `kept` is the one the plan has.
    """

    name = forms.CharField(max_length=120)
    segment = forms.CharField(required=False)
    channel = forms.ChoiceField(choices=[(key, key) for key in CHANNELS])
    purpose = forms.ChoiceField(choices=[(key, key) for key in PURPOSES])
    subject = forms.CharField(max_length=120, required=False)
    body = forms.CharField(max_length=2000)
    offer = forms.CharField(max_length=120, required=False)
    offer_worth = _money(2)
    special = forms.ChoiceField(required=False)
    special_days = forms.IntegerField(min_value=1, max_value=SPECIAL_DAYS_MAX, required=False)
    cost_each = _money(2)
    control_percent = forms.DecimalField(
        min_value=0, max_value=90, max_digits=4, decimal_places=1, required=False
    )
    window_days = forms.IntegerField(min_value=1, max_value=180)
    again_after_days = forms.IntegerField(min_value=0, max_value=3650)

    def __init__(
        self,
        data: QueryDict | None,
        *,
        source: Source,
        filters: Filters,
        kept: Offer | None = None,
        audience: dict[str, Any] | None = None,
        **more: Any,
    ):
        super().__init__(data, **more)
        self.source, self.filters = source, filters
        self.audience = filters.audience() if audience is None else audience
        for name in ("offer_worth", "cost_each"):
            self.fields[name] = _money(exponent(source.currency))
        self.chosen: Segment | None = None
        self.sells_here = membership.buys_here(source.key)
        in_force = membership.special_prices(clock.now()) if self.sells_here else ()
        self.specials = {offer.reference: offer for offer in in_force}
        choices = [(key, _special_name(offer)) for key, offer in self.specials.items()]
        if kept is not None and kept.reference not in self.specials:
            choices.append((kept.reference, gettext("%(it)s (ended)") % {"it": kept.name}))
        special = self.fields["special"]
        assert isinstance(special, forms.ChoiceField)
        special.choices = [("", gettext("none")), *choices]
        self.has_specials = bool(choices)

    def clean_segment(self) -> str:
        """A segment of this source, or "" for the filter the form carries."""
        reference: str = self.cleaned_data["segment"]
        if reference:
            segment = analytics.segment_named(reference)
            if segment.source_id != self.source.pk:
                raise forms.ValidationError(gettext("This segment belongs to another source."))
            self.chosen = segment
        return reference

    def clean_special(self) -> Offer | None:
        """A special price that is in force."""
        reference = self.cleaned_data["special"]
        if reference and reference not in self.specials:
            raise forms.ValidationError(gettext("This special price has ended."))
        return self.specials.get(reference)

    def clean(self) -> dict[str, Any]:
        """Whoever grants a special price says for how long."""
        given = self.cleaned_data
        if given.get("special") is None:
            given["special_days"] = 0
        elif given.get("special_days") is None and "special_days" not in self.errors:
            self.add_error("special_days", gettext("Say for how many days, 1 to 90."))
        return given

    def said(self) -> dict[str, Any]:
        """The fields as `engagement.actions.plans` takes them, audience included."""
        given = self.cleaned_data
        percent: Decimal | None = given["control_percent"]
        return {
            "name": given["name"],
            **self._audience(),
            **{key: given[key] for key in ("channel", "purpose", "subject", "body", "offer")},
            **{key: given[key] for key in ("special", "special_days")},
            "offer_worth_fen": self._fen(given["offer_worth"]),
            "cost_each_fen": self._fen(given["cost_each"]),
            "control_permyriad": None if percent is None else int(percent * 100),
            "window_days": given["window_days"],
            "again_after_days": given["again_after_days"],
        }

    def refuse(self, refusal: Invalid) -> None:
        """Say a refusal of the room beside the field it means."""
        self.add_error(self._field_of(refusal), str(refusal))

    def _audience(self) -> dict[str, Any]:
        if self.chosen is not None:
            return {"segment": self.chosen}
        return {"audience": self.audience}

    def _fen(self, amount: Decimal | None) -> int:
        return int((amount or Decimal()) * 10 ** exponent(self.source.currency))

    def _field_of(self, refusal: Invalid) -> str | None:
        if isinstance(refusal, BadPlan) and "special" in str(refusal.params.get("reason")):
            return "special"
        if not isinstance(refusal, BadText):
            return None
        subject, body = self.cleaned_data["subject"], self.cleaned_data["body"]
        if isinstance(refusal, TextMissing):
            return "subject" if body.strip() else "body"
        named = refusal.params.get("variable") or refusal.params.get("near") or ""
        is_in_subject = bool(named) and named in subject and named not in body
        return "subject" if is_in_subject else "body"


def _special_name(offer: Offer) -> str:
    """A special price as the select names it."""
    return f"{offer.name} · {offer_says(offer)} · {scope_says(offer)}"


def from_template(template: PlanTemplate, source: Source) -> dict[str, Any]:
    """What the form shows for a plan that starts from a template, in the language of whoever looks."""
    return {
        "name": str(template.name),
        "subject": str(template.subject),
        "body": str(template.body),
        "offer": str(template.offer),
        "channel": template.channel,
        "purpose": template.purpose,
        "offer_worth": _amount(template.offer_worth_fen, source),
        "cost_each": _amount(template.cost_each_fen, source),
        "window_days": template.window_days,
        "again_after_days": template.again_after_days,
    }


def from_version(version: PlanVersion) -> dict[str, Any]:
    """What the form shows for a plan that is changed."""
    source = version.plan.source
    kept = ("subject", "body", "offer", "channel", "purpose", "window_days", "again_after_days")
    return {
        **{key: getattr(version, key) for key in kept},
        "name": version.plan.name,
        "segment": version.segment.reference if version.segment else "",
        "offer_worth": _amount(version.offer_worth_fen, source),
        "cost_each": _amount(version.cost_each_fen, source),
        "special": version.special.reference if version.special else "",
        "special_days": version.special_days or SPECIAL_DAYS,
        "control_percent": _plain(Decimal(version.control_permyriad) / 100),
    }


def _amount(fen: int, source: Source) -> str:
    return _plain(Decimal(fen) / 10 ** exponent(source.currency)) if fen else ""


def _plain(number: Decimal) -> str:
    """`5`, `0.05`: no needless zeros, no exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
