"""The named RFM groups: bounds, names, what to do, and the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_http_methods

from liuke.analytics import queries
from liuke.analytics.actions.policy import set_groups
from liuke.analytics.errors import BadPolicy, UncoveredMembers
from liuke.analytics.models import RfmGroup
from liuke.base.money import exponent
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.policy import tabs
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.figures import count, money

# what is bounded, the unit it is typed in, and the largest figure
BOUNDS = {
    "days": (gettext_noop("Days since the last order"), 100_000),
    "orders": (gettext_noop("Orders"), 10**9),
    "total": (gettext_noop("Net spend"), 10**12),
}
SCORES = {"r": "R", "f": "F", "m": "M"}
STEP = 10
NAME_LETTERS, ACTION_LETTERS = 80, 40


@dataclass(frozen=True)
class Bound:
    """A pair of inputs: from and to."""

    key: str
    name: str
    low: str
    high: str
    wrong: str
    is_score: bool = False


@dataclass
class GroupForm:
    """One group as the page shows it or as it came back; `wrong` is a bound → what is said beside it."""

    group: RfmGroup
    typed: dict[str, str]
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def shipped_name(self) -> str:
        return wording.group_name(self.group.key)

    @property
    def title(self) -> str:
        return self.typed["name"] or self.shipped_name

    @property
    def bounds(self) -> list[Bound]:
        named = {key: gettext(name) for key, (name, _) in BOUNDS.items()}
        return [
            Bound(
                key,
                name,
                self.typed[f"{key}_min"],
                self.typed[f"{key}_max"],
                self.wrong.get(key, ""),
                is_score=key in SCORES,
            )
            for key, name in {**named, **SCORES}.items()
        ]

    @property
    def has_scores(self) -> bool:
        return any(self.typed[f"{key}_{end}"] for key in SCORES for end in ("min", "max"))

    def read(self) -> dict[str, Any]:
        """What was typed, as `set_groups` takes it; what cannot be read is noted in `wrong`."""
        name = self.typed["name"].strip()[:NAME_LETTERS]
        said: dict[str, Any] = {
            "name": "" if name == self.shipped_name else name,
            "action": self.typed["action"].strip()[:ACTION_LETTERS],
        }
        for key in (*BOUNDS, *SCORES):
            low, high = self._end(key, "min"), self._end(key, "max")
            if low is not None and high is not None and low > high:
                self.wrong[key] = gettext("“From” is above “to”: nobody fits.")
            fen = "_fen" if key == "total" else ""
            said |= {f"{key}_min{fen}": low, f"{key}_max{fen}": high}
        return said

    def _end(self, key: str, end: str) -> int | None:
        text = self.typed[f"{key}_{end}"].replace(",", "").replace("，", "").strip()
        if not text:
            return None
        try:
            number = Decimal(text) * (
                10 ** exponent(settings.LIUKE_CURRENCY) if key == "total" else 1
            )
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number != int(number) or not self._fits(key, int(number)):
            self.wrong[key] = gettext("“%(typed)s” does not fit here.") % {"typed": text[:20]}
            return None
        return int(number)

    def _fits(self, key: str, number: int) -> bool:
        if key in SCORES:
            return 1 <= number <= 5
        lowest = -BOUNDS[key][1] if key == "total" else 0
        return lowest <= number <= BOUNDS[key][1]


@require_http_methods(["GET", "POST"])
def groups(request: HttpRequest) -> HttpResponse:
    """Every group, in the order in which they are asked: the first whose bounds hold takes the member."""
    kept = queries.groups()
    if request.method == "GET":
        return _page(request, [GroupForm(group, _shown(group)) for group in kept])
    forms = _sorted([GroupForm(group, _typed(group, request.POST)) for group in kept])
    changes = {form.group.key: form.read() for form in forms}
    if [form.group for form in forms] != kept:
        for place, key in enumerate(changes, start=1):
            changes[key]["priority"] = place * STEP
    if any(form.wrong for form in forms):
        return _page(request, forms, says=gettext("Not saved: some bounds need another look."))
    try:
        changed = set_groups(changes=changes, by=login_of(request))
    except UncoveredMembers as refusal:
        return _page(request, forms, says=_gap_says(refusal, forms))
    except BadPolicy as refusal:
        return _page(request, forms, says=str(refusal))
    if changed:
        messages.success(request, gettext("Saved. Everyone is being put into groups anew."))
    else:
        messages.info(request, gettext("Nothing was different, so nothing was changed."))
    return redirect("console:groups")


def _gap_says(refusal: UncoveredMembers, forms: list[GroupForm]) -> str:
    """Who would be left over, and beside which bounds the gap opened: those that were changed this time."""
    gap = refusal.params
    for form in forms:
        before = _shown(form.group)
        for key in (*BOUNDS, *SCORES):
            if any(before[f"{key}_{end}"] != form.typed[f"{key}_{end}"] for end in ("min", "max")):
                form.wrong[key] = gettext("This leaves members without a group.")
    return gettext(
        "Not saved: somebody with %(orders)s orders, the last %(days)s days ago, and %(total)s"
        " in all would be in no group. Widen a bound below."
    ) % {
        "orders": count(gap["orders"]),
        "days": count(gap["days"]),
        "total": money(gap["total"], settings.LIUKE_CURRENCY),
    }


def _page(request: HttpRequest, forms: list[GroupForm], says: str = "") -> HttpResponse:
    context = {
        "frame": frame_of(request, "policy"),
        "tabs": tabs("groups"),
        "forms": forms,
        "actions": [(key, gettext(name)) for key, name in wording.ACTIONS.items()],
        "currency": settings.LIUKE_CURRENCY,
        "says": says,
    }
    return render(request, "console/groups.html", context, status=400 if says else 200)


def _shown(group: RfmGroup) -> dict[str, str]:
    """A group as its inputs show it: amounts in whole units."""
    ends = {
        f"{key}_{end}": _figure(
            getattr(group, f"{key}_{end}{'_fen' if key == 'total' else ''}"), key
        )
        for key in (*BOUNDS, *SCORES)
        for end in ("min", "max")
    }
    return {"name": group.name, "action": group.action, "place": "", **ends}


def _figure(bound: int | None, key: str) -> str:
    if bound is None:
        return ""
    if key != "total":
        return str(bound)
    places = exponent(settings.LIUKE_CURRENCY)
    text = f"{Decimal(bound).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _typed(group: RfmGroup, given: QueryDict) -> dict[str, str]:
    """What came back for a group; what did not come is as it was."""
    return {
        name: given.get(f"{group.key}-{name}", before)[:120].replace("\x00", "")
        for name, before in _shown(group).items()
    }


def _sorted(forms: list[GroupForm]) -> list[GroupForm]:
    """In the order of the places typed; who moves to a place pushes the one that has it aside."""

    def place(numbered: tuple[int, GroupForm]) -> tuple[int, int]:
        at, form = numbered
        text = form.typed["place"].strip()
        typed = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else at + 1
        return (typed, (typed > at + 1) - (typed < at + 1))

    return [form for _, form in sorted(enumerate(forms), key=place)]
