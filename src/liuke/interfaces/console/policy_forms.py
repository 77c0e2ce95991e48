"""The forms of the rules: figures as an operator types them (percent, lines), read into what the rooms take."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext

from liuke.analytics.models import RetentionPolicy
from liuke.engagement.models import OutreachPolicy

DAYS_MAX = 3650
CAP_HOURS_MIN, CAP_HOURS_MAX = 168, 9000  # what the table itself insists on
ZONES_MAX = 6


def _days(lowest: int = 1) -> forms.IntegerField:
    return forms.IntegerField(min_value=lowest, max_value=DAYS_MAX)


def _percent(lowest: str, highest: int, places: int) -> forms.DecimalField:
    return forms.DecimalField(
        min_value=Decimal(lowest), max_value=highest, max_digits=5, decimal_places=places
    )


class ThresholdsForm(forms.Form):
    """The thresholds of stages and warnings."""

    silent_after_days = _days()
    churned_after_days = _days()
    return_grace_days = _days(0)
    middle_orders_min = forms.IntegerField(min_value=2, max_value=1000)
    middle_orders_max = forms.IntegerField(min_value=2, max_value=10_000)
    warn_orders_min = forms.IntegerField(min_value=2, max_value=1000)
    warn_normal_permille = _percent("0.1", 50, 1)
    warn_lost_after_days = _days()
    stake_horizon_days = _days()

    @staticmethod
    def shown(policy: RetentionPolicy) -> dict[str, Any]:
        """A policy as the form shows it."""
        kept = {name: getattr(policy, name) for name in ThresholdsForm.base_fields}
        return {**kept, "warn_normal_permille": f"{policy.warn_normal_permille / 10:g}"}

    def clean(self) -> dict[str, Any]:
        """Say beside its field which figure contradicts another."""
        given: dict[str, Any] = super().clean() or {}
        least = sum(given.get(name) or 0 for name in ("silent_after_days", "return_grace_days"))
        if given.get("churned_after_days", DAYS_MAX) <= least:
            says = gettext("Has to be more than silent and grace together: %(days)s days.")
            self.add_error("churned_after_days", says % {"days": least})
        lowest, highest = given.get("middle_orders_min", 0), given.get("middle_orders_max")
        if highest is not None and highest < lowest:
            self.add_error("middle_orders_max", gettext("Cannot be less than “active from”."))
        return given

    def said(self) -> dict[str, Any]:
        """As `set_policy` takes them."""
        given = dict(self.cleaned_data)
        return {**given, "warn_normal_permille": int(given["warn_normal_permille"] * 10)}


class OutreachForm(forms.Form):
    """What outreach may do."""

    cap_hours = forms.IntegerField(max_value=CAP_HOURS_MAX)
    allowed_from = forms.TimeField()
    allowed_until = forms.TimeField()
    zones_when_unknown = forms.CharField(required=False, max_length=400)
    holdout_permyriad = _percent("0", 50, 2)
    brake_permille = _percent("0.1", 100, 1)
    wait_hours_max = forms.IntegerField(min_value=1, max_value=2160)
    send_within_hours = forms.IntegerField(min_value=1, max_value=160)

    @staticmethod
    def shown(policy: OutreachPolicy) -> dict[str, Any]:
        """A policy as the form shows it."""
        kept = {name: getattr(policy, name) for name in OutreachForm.base_fields}
        return {
            **kept,
            "allowed_from": policy.allowed_from.strftime("%H:%M"),
            "allowed_until": policy.allowed_until.strftime("%H:%M"),
            "zones_when_unknown": "\n".join(policy.zones_when_unknown),
            "holdout_permyriad": f"{policy.holdout_permyriad / 100:g}",
            "brake_permille": f"{policy.brake_permille / 10:g}",
        }

    def clean_cap_hours(self) -> int:
        """A week at least: what the database would refuse is said here in words."""
        hours: int = self.cleaned_data["cap_hours"]
        if hours < CAP_HOURS_MIN:
            raise forms.ValidationError(
                gettext("168 hours are the least: nobody hears from you twice in a week.")
            )
        return hours

    def clean_zones_when_unknown(self) -> list[str]:
        """IANA names, one a line or with commas."""
        text: str = self.cleaned_data["zones_when_unknown"]
        names = list(dict.fromkeys(text.replace(",", " ").replace("，", " ").split()))
        known = available_timezones()
        for name in names:
            if name not in known:
                says = gettext("%(zone)s is not a time zone. Write it like Asia/Shanghai.")
                raise forms.ValidationError(says % {"zone": name})
        if len(names) > ZONES_MAX:
            says = gettext("At most %(most)s zones.")
            raise forms.ValidationError(says % {"most": ZONES_MAX})
        return names

    def clean(self) -> dict[str, Any]:
        """Say beside its field which hour contradicts the other."""
        given: dict[str, Any] = super().clean() or {}
        opens, closes = given.get("allowed_from"), given.get("allowed_until")
        if opens is not None and closes is not None and closes <= opens:
            self.add_error("allowed_until", gettext("Has to be later than “not before”."))
        return given

    def said(self) -> dict[str, Any]:
        """As `set_outreach_policy` takes them."""
        given = dict(self.cleaned_data)
        return {
            **given,
            "holdout_permyriad": int(given["holdout_permyriad"] * 100),
            "brake_permille": int(given["brake_permille"] * 10),
        }
