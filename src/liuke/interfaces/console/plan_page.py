"""One plan: who would get what, when and at which price, before anything goes; then the big button."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.runs import start_run
from liuke.engagement.models import PlanVersion, Run
from liuke.engagement.queries import Preview, Sample
from liuke.interfaces.console.filters import Filters, address
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.once import is_first, new_token
from liuke.interfaces.console.runs import run_view
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui import outreach_words as words
from liuke.interfaces.ui.audience_words import audience_says
from liuke.interfaces.ui.benefit_words import scope_says, special_says
from liuke.interfaces.ui.reach import Part, parts
from liuke.interfaces.ui.result_words import foresight_says
from liuke.interfaces.ui.segment_words import names_of
from liuke.people.actions import attest_consent

RUNS_SHOWN = 12
MOSTLY = 0.5  # from this share of missing consent on, the page asks how members agreed


@dataclass(frozen=True)
class LeftOut:
    """Members who get nothing this time, for one reason."""

    key: str
    reason: words.Reason
    members: int
    samples: list[Sample]


@dataclass(frozen=True)
class PreviewView:
    """A preview as the page draws it."""

    preview: Preview
    parts: list[Part]
    waiting: int
    left_out: list[LeftOut]
    left_out_members: int
    written: list[Sample]
    agreed: int
    is_consent_missing: bool
    measurable: str


@require_GET
def plan(request: HttpRequest, reference: str) -> HttpResponse:
    """A plan with its preview, or with the run that is going on.

    Raises:
        UnknownPlan: none has this reference.
    """
    found = queries.plan_named(reference)
    frame = frame_of(request, "plans", source=found.source)
    version = queries.version_in_force(found)
    runs = queries.runs(found)
    open_run = next((run for run in runs if run.ended_at is None), None)
    today = next((run for run in runs if run.planned_on == clock.today()), None)
    shown = open_run or today
    is_previewed = found.state != "retired" and shown is None
    context = {
        "frame": frame,
        "plan": found,
        "version": version,
        "says": _says(version, frame),
        "people": _people(version, frame),
        "currency": found.source.currency,
        **_special(version),
        "run": run_view(shown) if shown else None,
        "runs": [_past(run) for run in runs[:RUNS_SHOWN]],
        "seen": preview_view(version) if is_previewed else None,
        "channels": words.CHANNELS,
        "policy": queries.policy(),
        "bare": _unwritten(shown.version if shown else version),
        "once": new_token(),
    }
    return render(request, "console/plan.html", context)


@require_POST
def start(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Begin a run of what the page showed. A second click finds the run that the first one started.

    Raises:
        UnknownPlan: none has this reference.
    """
    found = queries.plan_named(reference)
    version = queries.version_in_force(found)
    if not is_first(request):
        return redirect("console:plan", reference)
    if request.POST.get("version") != str(version.number):
        messages.error(request, gettext("The plan was changed meanwhile. Look at it again."))
        return redirect("console:plan", reference)
    attempt(
        request,
        lambda: start_run(
            reference, by=login_of(request), confirmed=_number(request.POST.get("confirmed", ""))
        ),
        gettext("Started."),
    )
    return redirect("console:plan", reference)


@require_POST
def attest(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Take the operator's word for where the members of this plan's source agreed to be reached.

    Raises:
        UnknownPlan: none has this reference.
    """
    found = queries.plan_named(reference)
    channels = [key for key in words.CHANNELS if key in request.POST.getlist("channel")]
    statement = request.POST.get("statement", "").strip()
    attempt(
        request,
        lambda: attest_consent(
            source=found.source.key, channels=channels, statement=statement, by=login_of(request)
        ),
        gettext("Written down. Whoever said yes or no before keeps their own word."),
    )
    return redirect("console:plan", reference)


def preview_view(version: PlanVersion) -> PreviewView:
    """Ask the gate what would happen now, and lay it out."""
    seen = queries.preview(version)
    waiting = sum(seen.waits.values())
    out = sum(seen.excluded.values())
    missing = seen.excluded.get("no_consent", 0)
    return PreviewView(
        preview=seen,
        parts=parts({"go": seen.now, "wait": waiting, "control": seen.control, "out": out}),
        waiting=waiting,
        left_out=[
            LeftOut(key, words.reason(key), members, seen.samples.get(key, []))
            for key, members in seen.excluded.items()
        ],
        left_out_members=out,
        written=seen.samples.get("treated", []),
        agreed=seen.audience - missing,
        measurable=_measurable(version, seen),
        is_consent_missing=version.purpose == "marketing" and missing > seen.audience * MOSTLY,
    )


def _measurable(version: PlanVersion, seen: Preview) -> str:
    """How small a difference this run alone could show; "" without a control group."""
    members = seen.treated + seen.control
    if not members or not version.control_permyriad:
        return ""
    return foresight_says(queries.foresee(members, version.control_permyriad))


def _says(version: PlanVersion, frame: Frame) -> str:
    source = version.plan.source
    return audience_says(version.audience, source.currency, frame.group_names, names_of(source))


def _people(version: PlanVersion, frame: Frame) -> str:
    """The list of the audience; of a rule that no filter can say, the segment it was."""
    filters = Filters.of(version.audience)
    if queries.is_ruled(version) and version.segment is not None:
        filters = Filters(within=version.segment.reference)
    return address("console:members", source=frame.source_key, **filters.query())


def _special(version: PlanVersion) -> dict[str, Any]:
    """The special price that this plan grants; nothing when it grants none."""
    offer = version.special
    if offer is None:
        return {}
    return {
        "special": special_says(offer, version.special_days),
        "special_about": scope_says(offer),
        "special_is_over": offer.ends_at is not None and offer.ends_at <= clock.now(),
    }


def _unwritten(version: PlanVersion) -> Sample:
    """The text with its variables, for when there is nobody to write it for."""
    return Sample("", "", version.subject, version.body)


def _past(run: Run) -> dict[str, Any]:
    progress = queries.progress(run)
    return {
        "run": run,
        "treated": progress.by_arm["treated"],
        "control": progress.by_arm["control"],
        "sent": progress.by_reason.get("accepted", 0),
    }


def _number(text: str) -> int | None:
    digits = text.replace(",", "").replace("，", "").replace(" ", "")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 12 else None
