"""The list of members: filtered, sorted, in pages, or as a sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from liuke.analytics import queries
from liuke.analytics.errors import UnknownSegment
from liuke.analytics.models import Source
from liuke.base.errors import Forbidden
from liuke.interfaces.console.filters import (
    BOUNDS,
    SORTS,
    STAGES,
    Filters,
    address,
    page_number,
)
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.sheets import Line, amount, sheet
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.audience_words import audience_says
from liuke.interfaces.ui.segment_words import names_of, segment_name

ROWS_A_PAGE = 50


@dataclass(frozen=True)
class Chip:
    """A filter one can take or leave."""

    key: str
    name: str
    href: str
    is_on: bool = False


@require_GET
def members(request: HttpRequest) -> HttpResponseBase:
    """One page of the members that fit; `?format=csv` sends an operator all of them.

    Raises:
        Forbidden: an agent asked for all of them.
    """
    filters = Filters.read(request.GET)
    here = "overdue" if filters.overdue else "members"
    frame = frame_of(request, here, filters=filters)
    if frame.source is None:
        return render(request, "console/nothing.html", {"frame": frame})
    if request.GET.get("format") == "csv":
        if not login_of(request).is_operator:
            raise Forbidden
        return sheet(f"liuke-{frame.source.key}-members", _lines(frame.source, filters))
    page = queries.members(
        frame.source, page=page_number(request.GET), per_page=ROWS_A_PAGE, **filters.arguments()
    )
    context = {
        "frame": frame,
        "query": filters,
        "page": page,
        "heading": _heading(filters, frame),
        "chips": _chips(filters, frame),
        "bounds": {name: getattr(filters, name) for name in BOUNDS[:4]},
        "is_bounded": any(getattr(filters, name) is not None for name in BOUNDS[:4]),
        "kept": {k: v for k, v in filters.query().items() if k not in BOUNDS[:4]},
        **_use(filters, frame),
        "csv_href": _href(frame, filters, format="csv"),
        "previous_href": _href(frame, filters, page=page.page - 1) if page.page > 1 else "",
        "next_href": _href(frame, filters, page=page.page + 1) if page.page < page.pages else "",
    }
    return render(request, "console/members.html", context)


def _use(filters: Filters, frame: Frame) -> dict[str, Any]:
    """What can be made of the filter; of a search nothing, because it names members, not a kind of them."""
    audience = filters.audience()
    kept = Filters.of(audience).query()
    if filters.search or frame.source is None:
        return {"says": "", "plan_href": "", "audience": {}}
    return {
        "says": audience_says(
            audience, frame.source.currency, frame.group_names, names_of(frame.source)
        ),
        "refine_href": address("console:new_segment", source=frame.source_key, **kept),
        "plan_href": address("console:new_plan", source=frame.source_key, **kept),
        "audience": kept,
    }


def _href(frame: Frame, filters: Filters, **more: object) -> str:
    return address("console:members", source=frame.source_key, **filters.query(), **more)


def _heading(filters: Filters, frame: Frame) -> str:
    if filters.overdue:
        return gettext("Overdue")
    if filters.leaving:
        return gettext("Leaving")
    if filters.group:
        return _group_name(filters.group, frame)
    return wording.stage_name(filters.stage) if filters.stage else gettext("Members")


def _group_name(key: str, frame: Frame) -> str:
    return next((place.name for place in frame.groups if place.key == key), key)


def _segment_name(reference: str) -> str:
    try:
        return segment_name(queries.segment_named(reference))
    except UnknownSegment:
        return reference


def _chips(filters: Filters, frame: Frame) -> dict[str, Any]:
    sorts = {
        "money": gettext("Net spend"),
        "at_stake": gettext("At stake"),
        "recent": gettext("Last order"),
        "orders": gettext("Orders"),
    }
    everyone = Chip(
        "", gettext("All"), _href(frame, filters.but(stage=None)), filters.stage is None
    )
    stages = [
        Chip(
            key, wording.stage_name(key), _href(frame, filters.but(stage=key)), filters.stage == key
        )
        for key in STAGES
    ]
    overdue = Chip(
        "overdue", "", _href(frame, filters.but(overdue=not filters.overdue)), filters.overdue
    )
    return {
        "stages": [everyone, *stages],
        "overdue": overdue,
        "sorts": [
            Chip(key, sorts[key], _href(frame, filters.but(sort=key)), filters.sort == key)
            for key in SORTS
        ],
        "others": _others(filters, frame),
    }


def _others(filters: Filters, frame: Frame) -> list[Chip]:
    """Filters that came from a chart or the search field, each with a link that takes it away."""
    named = {
        "leaving": gettext("leaving, by the forecast") if filters.leaving else "",
        "group": _group_name(filters.group, frame) if filters.group else "",
        "r": f"R{filters.r}" if filters.r else "",
        "f": f"F{filters.f}" if filters.f else "",
        "within": _segment_name(filters.within) if filters.within else "",
        "cohort": gettext("first order %(month)s") % {"month": filters.cohort}
        if filters.cohort
        else "",
        **_bounds(filters, frame),
        "search": f"“{filters.search}”" if filters.search else "",
    }
    return [
        Chip(key, name, _href(frame, _without(filters, key))) for key, name in named.items() if name
    ]


def _bounds(filters: Filters, frame: Frame) -> dict[str, str]:
    """`days`, `orders` and `total` bounds in words, each a chip of its own."""
    currency = frame.source.currency if frame.source else ""
    kept = filters.audience()
    return {
        kind: wording.bounds_say({k: kept[k] for k in _of_kind(kind) if k in kept}, currency)
        for kind in ("days", "orders", "total")
    }


def _of_kind(key: str) -> tuple[str, ...]:
    return tuple(name for name in BOUNDS if name.startswith(f"{key}_"))


def _without(filters: Filters, key: str) -> Filters:
    nothing = Filters()
    names = _of_kind(key) or (key,)
    return filters.but(**{name: getattr(nothing, name) for name in names})


def _lines(source: Source, filters: Filters) -> Iterator[Line]:
    yield [
        gettext("Reference"),
        gettext("Member"),
        gettext("Stage"),
        gettext("Since"),
        gettext("Group"),
        "R",
        "F",
        "M",
        gettext("Orders"),
        gettext("Net spend"),
        gettext("First order"),
        gettext("Last order"),
        gettext("Days since"),
        gettext("Rhythm in days"),
        gettext("Such a wait is normal"),
        gettext("Overdue"),
        gettext("At stake"),
    ]
    for row in queries.all_rows(source, **filters.arguments()):
        yield _line(row, source.currency)


def _line(row: queries.MemberRow, currency: str) -> Line:
    return [
        row.reference,
        row.name,
        wording.stage_name(row.stage),
        row.since_on.isoformat(),
        wording.group_name(row.group, row.group_name),
        row.r,
        row.f,
        row.m,
        row.orders,
        amount(row.total_fen, currency),
        row.first_on.isoformat(),
        row.last_on.isoformat(),
        row.days_since_last_order,
        f"{row.rhythm_days:.1f}",
        f"{row.still_normal:.4f}",
        int(row.is_overdue),
        amount(row.at_stake_fen, currency),
    ]
