"""Whom to ring: the agents' queue, one call, and why members say they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from liuke.analytics.models import Source, Standing
from liuke.base import clock
from liuke.engagement.errors import UnknownCall
from liuke.engagement.models import Call, Run, TroubleFlag
from liuke.engagement.rules import LEAVE_REASONS
from liuke.people.models import Consent, Login, Member

CALLS_A_PAGE = 50
QUEUES = ("open", "later", "taken", "done")
_VALUABLE_FIRST = (
    "kind",  # care before recall
    F("member__standing__at_stake_fen").desc(nulls_last=True),
    F("member__standing__total_fen").desc(nulls_last=True),
    "id",
)


@dataclass(frozen=True)
class CallRow:
    """A call as the queue shows it. `says` is what to say, or which trouble it is about."""

    call: Call
    member: Member
    plan_name: str
    says: str
    standing: Standing | None


@dataclass(frozen=True)
class CallPage:
    """One page of a queue."""

    rows: list[CallRow]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class CallToExport:
    """One row of a list taken elsewhere; `phone` is plain."""

    reference: str
    member_reference: str
    name: str
    phone: str
    says: str
    days_since_last_order: int | None
    orders: int | None
    total_fen: int | None


@dataclass(frozen=True)
class LeaveReasons:
    """Why members of a source say they leave: `told` counts the calls in which one was told, of all `reached`."""

    counts: Mapping[str, int]
    told: int
    reached: int


def calls(state: str = "open", kind: str | None = None, page: int = 1) -> CallPage:
    """One page of a queue: `open` (to ring now), `later`, `taken` or `done`. Care first, then most money at stake."""
    found = _queue(state)
    if kind:
        found = found.filter(kind=kind)
    total = found.count()
    pages = max(1, -(-total // CALLS_A_PAGE))
    page = min(max(page, 1), pages)
    start = (page - 1) * CALLS_A_PAGE
    order = ("-done_at", "-id") if state == "done" else _VALUABLE_FIRST
    chosen = _with_all(found).order_by(*order)[start : start + CALLS_A_PAGE]
    return CallPage([_row(call) for call in chosen], total, page, pages)


def open_calls() -> int:
    """How many calls wait to be made now."""
    return _queue("open").count()


def _queue(state: str) -> QuerySet[Call]:
    if state not in ("open", "later"):
        return Call.objects.filter(state=state)
    found = may_be_made(Call.objects.filter(state="open"))
    is_later = Q(again_at__gt=clock.now())
    return found.filter(is_later) if state == "later" else found.exclude(is_later)


def call_named(reference: str) -> CallRow:
    """One call.

    Raises:
        UnknownCall: there is none of this reference.
    """
    call = _with_all(Call.objects.filter(reference=reference)).first()
    if call is None:
        raise UnknownCall
    return _row(call)


def calls_about(member: Member) -> list[CallRow]:
    """Every call to a member, newest first."""
    return [_row(call) for call in _with_all(Call.objects.filter(member=member)).order_by("-id")]


def phone_to_ring(call: Call, by: Login) -> str:
    """The number in plain for the agent who has taken the call; "" for anybody else, or when there is none."""
    return call.member.phone() if call.state == "taken" and call.taken_by_id == by.pk else ""


def may_be_made(calls: QuerySet[Call]) -> QuerySet[Call]:
    """Those that an agent may ring for now."""
    trouble = open_flags().filter(member__person_id=OuterRef("member__person_id"))
    holds = Q(message__decision__run__state="paused") | (
        Q(message__purpose="marketing") & Exists(trouble)
    )
    return calls.exclude(pk__in=are_over(calls).values("pk")).exclude(holds)


def are_over(calls: QuerySet[Call]) -> QuerySet[Call]:
    """Those for which nobody may ring any more: erased, consent withdrawn, run stopped, or the week is past."""
    said = Consent.objects.filter(
        person=OuterRef("member__person_id"), channel="list", purpose=OuterRef("message__purpose")
    )
    return calls.filter(
        Q(member__erased_at__isnull=False)
        | Q(message__decision__run__state="stopped")
        | Q(message__contact__during__endswith__lte=clock.now())
        | Q(message__contact__given_back_at__isnull=False)
        | Q(message__purpose="marketing") & ~Exists(said.filter(is_given=True))
        | Q(message__purpose="service") & Exists(said.filter(is_given=False))
    )


def open_flags() -> QuerySet[TroubleFlag]:
    """The flags that hold today."""
    today = Q(until=None) | Q(until__gte=clock.today())
    return TroubleFlag.objects.filter(today, closed_at=None)


def open_troubles(member: Member) -> list[TroubleFlag]:
    """The open flags of a member, of whatever source they are known from; oldest first."""
    found = open_flags().filter(member__person_id=member.person_id)
    return list(found.select_related("member", "by").order_by("id"))


def calls_to_export(run: Run) -> list[CallToExport]:
    """The open calls of a run, with everything needed to ring."""
    found = may_be_made(Call.objects.filter(state="open", message__decision__run=run))
    return [_to_export(_row(call)) for call in _with_all(found).order_by(*_VALUABLE_FIRST)]


def leave_reasons(source: Source) -> LeaveReasons:
    """What the members of a source told agents about why they stay away; every reason is there, with 0 if never."""
    done = Call.objects.filter(member__source=source.key, state="done")
    told = done.exclude(leave_reason="").values_list("leave_reason")
    found = dict(told.annotate(count=Count("id")).order_by())
    counts = {reason: found.get(reason, 0) for reason in LEAVE_REASONS}
    return LeaveReasons(counts, sum(counts.values()), done.filter(outcome="reached").count())


def _with_all(calls: QuerySet[Call]) -> QuerySet[Call]:
    return calls.select_related(
        "member__standing", "message__decision__run__plan", "trouble", "taken_by"
    )


def _row(call: Call) -> CallRow:
    try:
        standing: Standing | None = call.member.standing
    except ObjectDoesNotExist:
        standing = None
    if call.message is None:
        says = call.trouble.why if call.trouble else ""
        return CallRow(call, call.member, "", says, standing)
    return CallRow(
        call, call.member, call.message.decision.run.plan.name, call.message.body, standing
    )


def _to_export(row: CallRow) -> CallToExport:
    at = row.standing
    return CallToExport(
        reference=row.call.reference,
        member_reference=row.member.reference,
        name=row.member.name,
        phone=row.member.phone(),
        says=row.says,
        days_since_last_order=at.days_since_last_order if at else None,
        orders=at.orders if at else None,
        total_fen=at.total_fen if at else None,
    )
