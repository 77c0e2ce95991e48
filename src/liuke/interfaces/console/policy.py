"""The rules an operator may change: thresholds, and what outreach may do. Each change is a version that stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_http_methods

from liuke.analytics import queries as analytics
from liuke.analytics.actions.policy import set_policy
from liuke.analytics.models import RetentionPolicy
from liuke.base.errors import Invalid
from liuke.engagement import queries as engagement
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.models import OutreachPolicy
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.policy_forms import OutreachForm, ThresholdsForm
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui import rule_words as words
from liuke.people import queries as people

VERSIONS_SHOWN = 20
TABS = {
    "policy": gettext_noop("Thresholds"),
    "groups": gettext_noop("RFM groups"),
    "outreach_policy": gettext_noop("Outreach rules"),
}
SECTIONS = {
    gettext_noop("Stages"): (
        "silent_after_days",
        "churned_after_days",
        "return_grace_days",
        "middle_orders_min",
        "middle_orders_max",
    ),
    gettext_noop("Warnings"): ("warn_orders_min", "warn_normal_permille", "warn_lost_after_days"),
    gettext_noop("Money"): ("stake_horizon_days",),
}


@dataclass(frozen=True)
class Field:
    """One rule of the form: its input, name, meaning and unit."""

    bound: Any
    name: str
    says: str
    unit: str


@dataclass(frozen=True)
class Change:
    """One rule of a version that differs from the version before."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Version:
    """A version of a policy; `changes` is empty for the one the site began with."""

    number: int
    set_at: dt.datetime
    who: str
    changes: list[Change]


@require_http_methods(["GET", "POST"])
def thresholds(request: HttpRequest) -> HttpResponse:
    """What makes a member silent, churned, overdue."""
    kept = analytics.policy()
    form = ThresholdsForm(_sent(request), initial=ThresholdsForm.shown(kept))
    if request.method == "POST" and form.is_valid():
        says = gettext("Saved. Everyone's stage is being worked out anew.")
        if _save(request, form, says, lambda new: set_policy(by=login_of(request), **new), kept):
            return redirect("console:policy")
    versions = RetentionPolicy.objects.order_by("-version")[: VERSIONS_SHOWN + 1]
    context = {
        **_frame(request, "policy"),
        "form": form,
        "sections": [
            (gettext(name), _fields(form, keys, words.THRESHOLDS))
            for name, keys in SECTIONS.items()
        ],
        "versions": _versions(versions, words.THRESHOLDS, "policy {}"),
    }
    return render(request, "console/policy.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def outreach(request: HttpRequest) -> HttpResponse:
    """How often, when and to how many; and the switch that stops all of it."""
    kept = engagement.policy()
    form = OutreachForm(_sent(request), initial=OutreachForm.shown(kept))
    if request.method == "POST" and form.is_valid():
        says = gettext("Saved. It holds for whatever is decided from now on.")
        if _save(
            request,
            form,
            says,
            lambda new: set_outreach_policy(by=login_of(request), **new),
            kept,
        ):
            return redirect("console:outreach_policy")
    versions = OutreachPolicy.objects.order_by("-version")[: VERSIONS_SHOWN + 1]
    context = {
        **_frame(request, "outreach_policy"),
        "form": form,
        "fields": {key: _field(form, key, words.OUTREACH) for key in words.OUTREACH},
        "zones": people.ZONES,
        "switch": engagement.switch(),
        "versions": _versions(versions, words.OUTREACH, "outreach policy {}"),
    }
    return render(
        request, "console/outreach_policy.html", context, status=400 if form.errors else 200
    )


def tabs(here: str) -> list[tuple[str, str, bool]]:
    """The pages of rules: name, address, and which of them this is."""
    return [(gettext(name), reverse(f"console:{key}"), key == here) for key, name in TABS.items()]


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _frame(request: HttpRequest, here: str) -> dict[str, Any]:
    return {"frame": frame_of(request, "policy"), "tabs": tabs(here)}


def _save(
    request: HttpRequest,
    form: ThresholdsForm | OutreachForm,
    says: str,
    put_in_force: Callable[[dict[str, Any]], object],
    kept: RetentionPolicy | OutreachPolicy,
) -> bool:
    """Put what differs in force; False when the room refuses, which the form then says."""
    said = form.said()
    new = {key: value for key, value in said.items() if value != getattr(kept, key)}
    if not new:
        messages.info(request, gettext("Nothing was different, so nothing was changed."))
        return True
    try:
        put_in_force(new)
    except Invalid as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, says)
    return True


def _fields(form: Form, keys: Iterable[str], rules: dict[str, words.Rule]) -> list[Field]:
    return [_field(form, key, rules) for key in keys]


def _field(form: Form, key: str, rules: dict[str, words.Rule]) -> Field:
    rule = rules[key]
    return Field(
        form[key], gettext(rule.name), gettext(rule.says), gettext(rule.unit) if rule.unit else ""
    )


def _versions(
    found: Iterable[RetentionPolicy | OutreachPolicy], rules: dict[str, words.Rule], about: str
) -> list[Version]:
    """The latest versions, each with what it changed; the oldest fetched is only there to be compared with."""
    rows = list(found)
    names = [about.format(row.version) for row in rows]
    who = {act.about: act for act in people.acts().filter(about__in=names)}
    told = [
        Version(
            number=row.version,
            set_at=row.set_at,
            who=_who(who.get(name)),
            changes=_changes(before, row, rules),
        )
        for row, before, name in zip(rows, [*rows[1:], None], names, strict=True)
    ]
    return told[:VERSIONS_SHOWN]


def _who(act: Any) -> str:
    if act is None:
        return ""
    return act.by.name if act.by else gettext("command line")


def _changes(before: Any, after: Any, rules: dict[str, words.Rule]) -> list[Change]:
    if before is None:
        return []
    pairs: Sequence[tuple[str, Any, Any]] = [
        (key, getattr(before, key), getattr(after, key)) for key in rules
    ]
    return [
        Change(gettext(rules[key].name), _shown(key, old), _shown(key, new))
        for key, old, new in pairs
        if old != new
    ]


def _shown(key: str, value: Any) -> str:
    """A figure as the form shows it."""
    if key.endswith("_permille"):
        return f"{value / 10:g}%"
    if key.endswith("_permyriad"):
        return f"{value / 100:g}%"
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    if isinstance(value, list):
        return ", ".join(value) or gettext("this site's")
    return str(value)
