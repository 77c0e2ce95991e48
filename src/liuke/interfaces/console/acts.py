"""Who did what, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from liuke.base import clock, ids
from liuke.interfaces.console.filters import address, page_number
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.sheets import Line, sheet
from liuke.interfaces.ui import staff_words as words
from liuke.people import queries
from liuke.people.models import StaffAct

ROWS_A_PAGE = 50
COMMAND_LINE = "-"  # stands for nobody in an address
# what an act is about → the page that shows it, when its reference is one
_PAGES = {
    "member": "console:member",
    "consent": "console:member",
    "trouble": "console:member",
    "coupon": "console:member",
    "call": "console:member",
    "plan": "console:plan",
    "run": "console:plan",
    "calls": "console:run",
    "product": "console:product",
    "variant": "console:product",
    "keys": "console:product",
    "key": "console:product",
    "upload": "console:upload",
    "order": "console:order",
    "delivery": "console:order",
}


@dataclass(frozen=True)
class Deed:
    """An act as the page tells it."""

    at: dt.datetime
    who: str
    says: str
    about: str
    href: str
    detail: str


@require_GET
def acts(request: HttpRequest) -> HttpResponseBase:
    """One page of what was done, filtered by kind, by whom and by what it is about; `?format=csv` sends all of it."""
    thing, by = request.GET.get("thing", ""), request.GET.get("by", "")
    about = request.GET.get("about", "").replace("\x00", "").strip()[:80]
    thing = thing if thing in words.THINGS else ""
    found = queries.acts(
        things=words.THINGS[thing].prefixes if thing else (),
        about=about,
        by=None if not by else "" if by == COMMAND_LINE else by,
    )
    if request.GET.get("format") == "csv":
        return sheet(f"liuke-acts-{clock.today().isoformat()}", _lines(found.iterator()))
    page = Paginator(found, ROWS_A_PAGE).get_page(page_number(request.GET))
    kept = {"thing": thing, "by": by, "about": about}
    context = {
        "frame": frame_of(request, "acts"),
        "deeds": [_deed(act) for act in page],
        "page": page,
        "kept": kept,
        "things": [(key, gettext(each.name)) for key, each in words.THINGS.items()],
        "logins": queries.logins(),
        "command_line": COMMAND_LINE,
        "csv_href": address("console:acts", **kept, format="csv"),
        "previous_href": address("console:acts", **kept, page=page.number - 1)
        if page.has_previous()
        else "",
        "next_href": address("console:acts", **kept, page=page.number + 1)
        if page.has_next()
        else "",
    }
    return render(request, "console/acts.html", context)


def _deed(act: StaffAct) -> Deed:
    page = _PAGES.get(act.verb.split(".")[0])
    is_reference = act.about in (
        ids.read_reference(act.about),
        ids.read_order_number(act.about),
    )
    return Deed(
        at=act.at,
        who=words.who_says(act.verb, act.by.name if act.by else None),
        says=words.act_says(act.verb),
        about=words.about_says(act.verb, act.about),
        href=address(page, act.about) if page and is_reference else "",
        detail=words.detail_says(act.detail),
    )


def _lines(found: Iterator[StaffAct]) -> Iterator[Line]:
    yield [
        gettext("When"),
        gettext("Who did it"),
        gettext("What was done"),
        gettext("To what"),
        gettext("Details"),
    ]
    for act in found:
        deed = _deed(act)
        when = deed.at.astimezone(clock.site_zone()).isoformat(sep=" ", timespec="seconds")
        yield [when, deed.who, deed.says, act.about, deed.detail]
