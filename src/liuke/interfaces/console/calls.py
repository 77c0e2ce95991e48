"""Calls: the agents' queue, one call with what they need to know, and what came of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_GET, require_POST

from liuke.analytics import queries as analytics
from liuke.base import clock
from liuke.base.errors import Conflict, Unavailable
from liuke.engagement import queries
from liuke.engagement.actions.calls import record_call, release_call, take_call
from liuke.engagement.queries import LeaveReasons
from liuke.interfaces.console.filters import address, page_number
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui import outreach_words as words
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.figures import percent

ORDERS_SHOWN = 6
QUEUES = {
    "open": gettext_noop("To ring now"),
    "later": gettext_noop("Later"),
    "taken": gettext_noop("Taken"),
    "done": gettext_noop("Done"),
}
AGAIN = {
    "": (gettext_noop("Tomorrow, same time"), 24),
    "3h": (gettext_noop("In three hours"), 3),
    "2d": (gettext_noop("In two days"), 48),
    "4d": (gettext_noop("In four days"), 96),
}


@dataclass(frozen=True)
class Tab:
    """A queue one can look at."""

    name: str
    href: str
    is_on: bool


@dataclass(frozen=True)
class Told:
    """How often a reason for leaving was told; `width` is its bar out of 100."""

    name: str
    calls: int
    share: str
    width: float


@require_GET
def calls(request: HttpRequest) -> HttpResponse:
    """One queue of calls: care first, then the most money at stake."""
    frame = frame_of(request, "calls")
    state = request.GET.get("state", "open")
    state = state if state in QUEUES else "open"
    page = queries.calls(state, page=page_number(request.GET))
    mine = [row for row in queries.calls("taken").rows if row.call.taken_by == request.user]
    context = {
        "frame": frame,
        "state": state,
        "page": page,
        "mine": mine if state == "open" else [],
        "tabs": [
            Tab(gettext(name), address("console:calls", state=key), key == state)
            for key, name in QUEUES.items()
        ],
        "reasons": _tally(queries.leave_reasons(frame.source)) if frame.source else [],
        "previous_href": _href(state, page.page - 1) if page.page > 1 else "",
        "next_href": _href(state, page.page + 1) if page.page < page.pages else "",
    }
    return render(request, "console/calls.html", context)


@require_GET
def call(request: HttpRequest, reference: str) -> HttpResponse:
    """One call; the number is plain only for who has taken it.

    Raises:
        UnknownCall: none has this reference.
    """
    row = queries.call_named(reference)
    story = analytics.member_story(row.member.reference)
    frame = frame_of(request, "calls", source=story.source)
    by = login_of(request)
    context = {
        "frame": frame,
        "row": row,
        "call": row.call,
        "story": story,
        "orders": story.purchases[:ORDERS_SHOWN],
        "has_goods": any(purchase.items for purchase in story.purchases[:ORDERS_SHOWN]),
        "rhythm": _rhythm(story),
        "troubles": queries.open_troubles(row.member),
        "earlier": [one for one in queries.calls_about(row.member) if one.call.pk != row.call.pk],
        "phone": queries.phone_to_ring(row.call, by),
        "is_mine": row.call.state == "taken" and row.call.taken_by_id == by.pk,
        "outcomes": [
            (key, gettext(name)) for key, name in words.CALL_OUTCOMES.items() if key != "lapsed"
        ],
        "leave_reasons": [(key, gettext(name)) for key, name in words.LEAVE_REASONS.items()],
        "again": [(key, gettext(name)) for key, (name, _) in AGAIN.items()],
    }
    return render(request, "console/call.html", context)


@require_POST
def take(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Take a call, so that nobody else rings the same member.

    Raises:
        UnknownCall: none has this reference.
    """
    done = attempt(
        request,
        lambda: take_call(reference=reference, by=login_of(request)),
        gettext("This call is yours now."),
    )
    return redirect("console:call", reference) if done else redirect("console:calls")


@require_POST
def take_next(request: HttpRequest) -> HttpResponseRedirect:
    """Take the first call of the queue that nobody else takes at the same moment."""
    for row in queries.calls("open").rows:
        try:
            taken = take_call(reference=row.call.reference, by=login_of(request))
        except Unavailable as refusal:
            messages.error(request, str(refusal))
            return redirect("console:calls")
        except Conflict:
            continue
        return redirect("console:call", taken.reference)
    messages.success(request, gettext("Nobody is left to ring now."))
    return redirect("console:calls")


@require_POST
def release(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Put a call back for somebody else.

    Raises:
        UnknownCall: none has this reference.
    """
    attempt(
        request,
        lambda: release_call(reference=reference, by=login_of(request)),
        gettext("Back in the queue."),
    )
    return redirect("console:calls")


@require_POST
def record(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Write down what came of a call, and, if asked, take the next one.

    Raises:
        UnknownCall: none has this reference.
    """
    given = request.POST
    done = attempt(
        request,
        lambda: record_call(
            reference=reference,
            by=login_of(request),
            outcome=given.get("outcome", ""),
            leave_reason=given.get("leave_reason", ""),
            note=given.get("note", ""),
            again_at=_again_at(given.get("outcome", ""), given.get("again", "")),
            everything=given.get("everything") == "1",
        ),
        gettext("Written down."),
    )
    if not done:
        return redirect("console:call", reference)
    return take_next(request) if given.get("then") == "next" else redirect("console:calls")


def _again_at(outcome: str, again: str) -> dt.datetime | None:
    if outcome != "no_answer" or again not in AGAIN:
        return None
    _, hours = AGAIN[again]
    return clock.now() + dt.timedelta(hours=hours)


def _rhythm(story: analytics.MemberStory) -> str:
    row = story.row
    if row is None:
        return ""
    return wording.rhythm_says(
        rhythm_days=row.rhythm_days,
        days_since=row.days_since_last_order,
        still_normal=row.still_normal,
        orders=row.orders,
    )


def _tally(reasons: LeaveReasons) -> list[Told]:
    most = max(reasons.counts.values(), default=0)
    found = [
        Told(
            name=words.leave_reason_name(key),
            calls=calls,
            share=percent(calls / reasons.told),
            width=round(calls / most * 100, 1),
        )
        for key, calls in reasons.counts.items()
        if calls
    ]
    return sorted(found, key=lambda told: -told.calls)


def _href(state: str, page: int) -> str:
    return address("console:calls", state=state, page=page)
