"""A run: how far it is, who got what and why, and the buttons that hold or end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.engagement import queries
from liuke.engagement.actions import policy as switching
from liuke.engagement.actions import runs as actions
from liuke.engagement.actions.calls import export_calls
from liuke.engagement.models import Run
from liuke.engagement.queries import DecisionRow, Progress
from liuke.interfaces.console.filters import address, page_number
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.sheets import Line, amount, sheet
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui import outreach_words as words
from liuke.interfaces.ui.reach import Part, parts

ROWS_A_PAGE, ROWS_AT_ONCE = 50, 5000
OFTEN, RARELY = 1_500, 15_000


@dataclass(frozen=True)
class Tally:
    """How many candidates have one reason; `href` leads to them."""

    key: str
    reason: words.Reason
    members: int
    href: str
    is_on: bool = False


@dataclass(frozen=True)
class RunView:
    """A run and how far it is, as pages draw it."""

    run: Run
    progress: Progress
    bar: list[Part]
    ended: list[Tally]
    waiting: list[Tally]
    is_going: bool

    @property
    def ask_every(self) -> int:
        """Milliseconds until the page asks again: often while something moves, rarely while all wait."""
        return OFTEN if self.progress.new or self.progress.claimed else RARELY


@require_GET
def run(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Everyone a run decided about, by reason; `?format=csv` sends all of them.

    Raises:
        UnknownRun: none has this reference.
    """
    found = queries.run_named(reference)
    reason = _reason_key(request)
    if request.GET.get("format") == "csv":
        return sheet(f"liuke-run-{reference}", _lines(found, reason))
    frame = frame_of(request, "plans", source=found.plan.source)
    page = queries.decisions(found, reason, page=page_number(request.GET), per_page=ROWS_A_PAGE)
    kept = {"reason": reason or ""}
    context = {
        "frame": frame,
        "view": run_view(found, reason),
        "reason": words.reason(reason) if reason else None,
        "reason_key": reason,
        "page": page,
        "rows": [(row, _reason_of(row)) for row in page.rows],
        "csv_href": _href(reference, **kept, format="csv"),
        "all_href": _href(reference),
        "previous_href": _href(reference, **kept, page=page.page - 1) if page.page > 1 else "",
        "next_href": _href(reference, **kept, page=page.page + 1) if page.page < page.pages else "",
    }
    return render(request, "console/run.html", context)


@require_GET
def progress(request: HttpRequest, reference: str) -> HttpResponse:
    """How far a run is, as the part of a page that changes: asked for every other second.

    Raises:
        UnknownRun: none has this reference.
    """
    view = run_view(queries.run_named(reference))
    response = render(request, "console/run_progress.html", {"view": view})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def pause(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Hold a run."""
    return _change(request, reference, actions.pause_run, gettext("Paused. Nothing more goes out."))


@require_POST
def resume(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Go on with a run that was held."""
    return _change(request, reference, actions.resume_run, gettext("It goes on."))


@require_POST
def stop(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """End a run for good."""
    says = gettext("Stopped. What was not sent yet is not sent any more.")
    return _change(request, reference, actions.stop_run, says)


@require_POST
def stop_everything(request: HttpRequest) -> HttpResponseRedirect:
    """The kill switch, on."""
    attempt(
        request,
        lambda: switching.stop_everything(by=login_of(request)),
        gettext("All outreach is stopped."),
    )
    return _back(request)


@require_POST
def resume_everything(request: HttpRequest) -> HttpResponseRedirect:
    """The kill switch, off."""
    attempt(
        request,
        lambda: switching.resume_everything(by=login_of(request)),
        gettext("Outreach goes on where it was."),
    )
    return _back(request)


@require_POST
def export(request: HttpRequest, reference: str) -> HttpResponseBase:
    """The open calls of a run with plain numbers, to be rung elsewhere; that it was taken is written down.

    Raises:
        UnknownRun: none has this reference.
    """
    found = queries.run_named(reference)
    rows = export_calls(run=found, by=login_of(request))
    return sheet(f"liuke-calls-{reference}", _call_lines(rows, found.plan.source.currency))


def run_view(found: Run, reason: str | None = None) -> RunView:
    """Count a run's decisions and lay them out."""
    told = queries.progress(found)
    good = told.by_reason.get("accepted", 0)
    bad = sum(told.by_reason.get(key, 0) for key in ("rejected", "unknown"))
    control = told.by_reason.get("control", 0)
    return RunView(
        run=found,
        progress=told,
        bar=parts(
            {
                "go": good,
                "bad": bad,
                "control": control,
                "out": told.done - good - bad - control,
                "wait": told.waiting,
                "rest": told.new + told.claimed,
            }
        ),
        ended=_tallies(found, told.by_reason, reason, is_waiting=False),
        waiting=_tallies(found, told.waiting_for, reason, is_waiting=True),
        is_going=found.state == "running",
    )


def _reason_key(request: HttpRequest) -> str | None:
    key = request.GET.get("reason", "")
    return key if key in words.REASONS else None


def _tallies(
    found: Run, counts: dict[str, int], chosen: str | None, *, is_waiting: bool
) -> list[Tally]:
    return [
        Tally(
            key=key,
            reason=words.reason(key, is_waiting=is_waiting),
            members=counts[key],
            href=_href(found.reference, reason=key),
            is_on=key == chosen,
        )
        for key in words.REASONS
        if counts.get(key)
    ]


def _change(
    request: HttpRequest, reference: str, action: Callable[..., Run], says: str
) -> HttpResponseRedirect:
    plan = queries.run_named(reference).plan
    attempt(request, lambda: action(reference, by=login_of(request)), says)
    return redirect("console:plan", plan.reference)


def _back(request: HttpRequest) -> HttpResponseRedirect:
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(back if is_ours else "console:plans")


def _href(reference: str, **query: object) -> str:
    return address("console:run", reference, **query)


def _reason_of(row: DecisionRow) -> words.Reason:
    return words.reason(row.reason, is_waiting=not row.is_done)


def _lines(found: Run, reason: str | None) -> Iterator[Line]:
    yield [
        gettext("Reference"),
        gettext("Member"),
        gettext("Arm"),
        gettext("Reason"),
        gettext("What it means"),
        gettext("Decided"),
        gettext("Waits until"),
    ]
    page, pages = 1, 1
    while page <= pages:
        some = queries.decisions(found, reason, page=page, per_page=ROWS_AT_ONCE)
        for row in some.rows:
            yield _line(row)
        page, pages = page + 1, some.pages


def _line(row: DecisionRow) -> Line:
    told = _reason_of(row)
    return [
        row.member_reference,
        row.member_name,
        words.arm_name(row.arm),
        told.name,
        told.says,
        row.decided_at.isoformat() if row.decided_at else "",
        row.due_at.isoformat() if row.due_at else "",
    ]


def _call_lines(rows: list[queries.CallToExport], currency: str) -> Iterator[Line]:
    yield [
        gettext("Call"),
        gettext("Reference"),
        gettext("Member"),
        gettext("Phone"),
        gettext("What to say"),
        gettext("Days since"),
        gettext("Orders"),
        gettext("Net spend"),
    ]
    for row in rows:
        yield [
            row.reference,
            row.member_reference,
            row.name,
            row.phone,
            row.says,
            "" if row.days_since_last_order is None else row.days_since_last_order,
            "" if row.orders is None else row.orders,
            "" if row.total_fen is None else amount(row.total_fen, currency),
        ]
