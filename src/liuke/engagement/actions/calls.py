"""Ring a member: take the call so that nobody else does, then write down what came of it."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from liuke.base import clock
from liuke.engagement.actions.weeks import extend_weeks, hold_weeks
from liuke.engagement.errors import (
    BadCallOutcome,
    BadNextTry,
    CallIsNotYours,
    CallIsOff,
    CallTaken,
    EverythingIsStopped,
    TooEarlyToRing,
    UnknownCall,
)
from liuke.engagement.gate import hours_for
from liuke.engagement.models import Call, Run
from liuke.engagement.queries.calls import CallToExport, are_over, calls_to_export, may_be_made
from liuke.engagement.queries.plans import policy, switch
from liuke.engagement.rules import CALL_OUTCOMES, LEAVE_REASONS
from liuke.people.actions import change_consent, record_act
from liuke.people.models import Login
from liuke.people.rules import CHANNELS

TRIES_MAX = 3
AGAIN_AFTER = dt.timedelta(days=1)
AGAIN_WITHIN = dt.timedelta(days=6)  # before the week that the last try took is over
STALE_AFTER = dt.timedelta(hours=24)
NOTE_LETTERS = 500
_TOLD_BY_AGENTS = tuple(outcome for outcome in CALL_OUTCOMES if outcome != "lapsed")


def take_call(reference: str, *, by: Login) -> Call:
    """Take an open call; the member's week begins anew at this moment. Taking one's own again changes nothing.

    Raises:
        UnknownCall: no call has this reference.
        CallTaken: somebody else was quicker, or it is over.
        CallIsOff: the member may not be rung for this any more.
        EverythingIsStopped: the kill switch is on (care calls go on).
        TooEarlyToRing: outside the hours in which the member may be reached (care calls go on).
    """
    at = clock.now()
    with transaction.atomic():
        call = _call(reference)
        if call.state == "taken" and call.taken_by_id == by.pk:
            return call
        if call.kind == "recall" and switch().is_stopped:
            raise EverythingIsStopped
        if call.kind == "recall":
            _check_hour(call, at)
        if call.state == "open" and not may_be_made(Call.objects.filter(pk=call.pk)).exists():
            raise CallIsOff
        open_still = Call.objects.filter(pk=call.pk, state="open")
        if not open_still.update(state="taken", taken_by=by, taken_at=at):
            raise CallTaken
        if call.message and call.message.contact_id:
            until = at + dt.timedelta(hours=policy().cap_hours)
            hold_weeks([call.message.contact_id])
            extend_weeks([call.message.contact_id], until=until)
        record_act(by=by, verb="call.take", about=call.member.reference, call=reference)
    return _call(reference)


def _check_hour(call: Call, at: dt.datetime) -> None:
    own = call.member.person
    hours = hours_for(policy(), own.time_zone, own.quiet_from, own.quiet_until)
    if not hours.allow(at):
        allowed = hours.next_allowed(at)
        local = allowed.astimezone(ZoneInfo(hours.zones[0])) if allowed else None
        raise TooEarlyToRing(when=f"{local:%m-%d %H:%M}" if local else "—")


def release_call(reference: str, *, by: Login) -> None:
    """Put a call back into the queue: one's own, or, as an operator, anybody's.

    Raises:
        UnknownCall: no call has this reference.
        CallIsNotYours: it is not taken, or taken by somebody else.
    """
    with transaction.atomic():
        call = _taken(reference, by if not by.is_operator else None)
        Call.objects.filter(pk=call.pk).update(state="open", taken_by=None, taken_at=None)
        record_act(by=by, verb="call.release", about=call.member.reference, call=reference)


def record_call(
    reference: str,
    *,
    by: Login,
    outcome: str,
    leave_reason: str = "",
    note: str = "",
    again_at: dt.datetime | None = None,
    everything: bool = False,
) -> Call:
    """Write down what came of a call that `by` has taken.

    Nobody answered: it comes again at `again_at` (a day later, unless told), and lapses after three tries. Refused:
    their consent to be called is withdrawn, with `everything` to any marketing.

    Raises:
        UnknownCall: no call has this reference.
        CallIsNotYours: somebody else has it, or nobody.
        BadCallOutcome: a word we do not know.
        BadNextTry: `again_at` is past, or more than six days away.
    """
    at = clock.now()
    _check_words(outcome, leave_reason)
    if again_at is not None and not at < again_at <= at + AGAIN_WITHIN:
        raise BadNextTry
    with transaction.atomic():
        call = _taken(reference, by)
        call.leave_reason, call.note = leave_reason, note.strip()[:NOTE_LETTERS]
        if outcome == "no_answer" and call.tries + 1 < TRIES_MAX:
            call.state, call.taken_by, call.taken_at = "open", None, None
            call.again_at = again_at or at + AGAIN_AFTER
        else:
            call.state, call.done_at, call.again_at = "done", at, None
            call.outcome = "lapsed" if outcome == "no_answer" else outcome
        call.tries += 1
        call.save()
        if outcome == "refused":
            _withdraw(call, by, CHANNELS if everything else ("list",))
        record_act(
            by=by, verb="call.record", about=call.member.reference, call=reference, outcome=outcome
        )
    return call


def tidy_calls() -> int:
    """Release calls taken a day ago and forgotten, and let those lapse that nobody may make any more; how many."""
    at = clock.now()
    with transaction.atomic():
        stale = Call.objects.filter(state="taken", taken_at__lte=at - STALE_AFTER)
        released = stale.update(state="open", taken_by=None, taken_at=None)
        return released + lapse(are_over(Call.objects.filter(state="open")), at=at)


def lapse(calls: QuerySet[Call], *, at: dt.datetime) -> int:
    """End calls that are not made after all, in the caller's transaction; how many."""
    return calls.update(state="done", outcome="lapsed", done_at=at, again_at=None)


def export_calls(*, run: Run, by: Login | None) -> list[CallToExport]:
    """The open calls of a run with their numbers, for a list taken elsewhere. Their weeks are taken already."""
    with transaction.atomic():
        rows = calls_to_export(run)
        record_act(by=by, verb="calls.export", about=run.reference, calls=len(rows))
    return rows


def _call(reference: str) -> Call:
    call = Call.objects.select_related("member", "message").filter(reference=reference).first()
    if call is None:
        raise UnknownCall
    return call


def _taken(reference: str, by: Login | None) -> Call:
    """A taken call, locked; only that of `by` when told."""
    call = _call(reference)
    taken = Call.objects.filter(pk=call.pk, state="taken")
    if by is not None:
        taken = taken.filter(taken_by=by)
    if not taken.select_for_update(no_key=True).exists():
        raise CallIsNotYours
    return _call(reference)


def _check_words(outcome: str, leave_reason: str) -> None:
    if outcome not in _TOLD_BY_AGENTS:
        raise BadCallOutcome(word=outcome)
    if leave_reason not in ("", *LEAVE_REASONS):
        raise BadCallOutcome(word=leave_reason)


def _withdraw(call: Call, by: Login, channels: tuple[str, ...]) -> None:
    for channel in channels:
        change_consent(
            person_id=call.member.person_id,
            channel=channel,
            purpose="marketing",
            is_given=False,
            basis="agent",
            words=f"call {call.reference}",
            by=by,
        )
