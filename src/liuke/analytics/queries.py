"""What is known: sources, the policy in force, reports, members and their stories."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Min, Q, QuerySet

from liuke.analytics.errors import NoOrdersYet, SourceNotChosen, UnknownSource
from liuke.analytics.models import (
    Evaluation,
    Import,
    MemberFacts,
    Purchase,
    PurchaseLine,
    RetentionPolicy,
    RfmGroup,
    Source,
    StageMove,
    Standing,
)
from liuke.analytics.rules import STAGES
from liuke.base import clock, ids, sealing
from liuke.people.models import Member
from liuke.people.queries import member_by_reference
from liuke.people.rules import PHONE_PURPOSE, read_phone

Json = dict[str, Any]
PURCHASES_SHOWN = 200
SORTS = {
    "money": ("-total_fen", "member_id"),
    "at_stake": ("-is_overdue", "-at_stake_fen", "member_id"),
    "recent": ("days_since_last_order", "member_id"),
    "orders": ("-orders", "member_id"),
}


@dataclass(frozen=True)
class MemberRow:
    """One member as lists show them; `name` is masked when it is a phone number."""

    reference: str
    name: str
    stage: str
    since_on: dt.date
    next_move_on: dt.date | None
    group: str
    group_name: str
    r: int
    f: int
    m: int
    orders: int
    total_fen: int
    first_on: dt.date
    last_on: dt.date
    days_since_last_order: int
    rhythm_days: float
    still_normal: float
    is_overdue: bool
    at_stake_fen: int


@dataclass(frozen=True)
class MemberPage:
    """One page of a list of members."""

    rows: list[MemberRow]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class MoveRow:
    """A member entered `stage` on `since_on`, for the reason the other figures give."""

    stage: str
    previous_stage: str | None
    since_on: dt.date
    orders: int
    last_order_on: dt.date
    threshold_days: int
    policy_version: int


@dataclass(frozen=True)
class PurchaseRow:
    """One order or return with its items."""

    at: dt.datetime
    on: dt.date
    amount_fen: int
    quantity: int
    order_number: str | None
    items: list[PurchaseLine]


@dataclass(frozen=True)
class MemberStory:
    """All we know of one member. `row` is None until the first evaluation after their first order."""

    member: Member
    source: Source
    row: MemberRow | None
    facts: MemberFacts | None
    moves: list[MoveRow]
    purchases: list[PurchaseRow]
    purchases_total: int
    as_of: dt.date | None


def policy() -> RetentionPolicy:
    """The thresholds in force."""
    return RetentionPolicy.objects.latest("version")


def groups() -> list[RfmGroup]:
    """The named groups, first match first."""
    return list(RfmGroup.objects.order_by("priority"))


def sources() -> list[Source]:
    """Every source, oldest first."""
    return list(Source.objects.order_by("id"))


def source_named(key: str | None) -> Source:
    """The source of that key; without a key, the only one.

    Raises:
        NoOrdersYet: there is none.
        UnknownSource: none has this key.
        SourceNotChosen: there are several and none was named.
    """
    known = sources()
    if not known:
        raise NoOrdersYet
    names = ", ".join(source.key for source in known)
    if key is None:
        if len(known) > 1:
            raise SourceNotChosen(known=names)
        return known[0]
    for source in known:
        if source.key == key:
            return source
    raise UnknownSource(source=key, known=names)


def order_days(source: Source) -> tuple[dt.date, dt.date] | None:
    """First and last day with an order, or None."""
    found = Purchase.objects.filter(member__source=source.key, amount_fen__gte=0).aggregate(
        first=Min("on"), last=Max("on")
    )
    return (found["first"], found["last"]) if found["first"] else None


def as_of_default(source: Source) -> dt.date:
    """The day a source speaks for: its last order, never later than today.

    Raises:
        NoOrdersYet: there is none.
    """
    days = order_days(source)
    if days is None:
        raise NoOrdersYet
    return min(days[1], clock.today())


def is_stale(source: Source) -> bool:
    """Whether the last evaluation misses an import, a new day or a new policy."""
    days = order_days(source)
    if days is None:
        return False
    found = Evaluation.objects.filter(source=source).first()
    if found is None or found.as_of != as_of_default(source) or found.policy_id != policy().pk:
        return True
    return found.last_import != last_import(source)


def has_items(source: Source) -> bool:
    """Whether any purchase of the source names what was bought."""
    return PurchaseLine.objects.filter(purchase__member__source=source.key).exists()


def imports_of(source: Source) -> list[Import]:
    """The files taken in, newest first."""
    return list(Import.objects.filter(source=source).order_by("-id"))


def last_import(source: Source) -> int | None:
    """The id of the newest import that brought something. Ids, not times: the clock may move back."""
    imports = Import.objects.filter(source=source, orders_new__gt=0)
    newest: int | None = imports.aggregate(id=Max("id"))["id"]
    return newest


def report_of(source: Source) -> Json | None:
    """The report of the last evaluation, or None before the first."""
    found = Evaluation.objects.filter(source=source).first()
    return found.report if found else None


def member_rows(standings: QuerySet[Standing]) -> list[MemberRow]:
    """Standings as lists show them, in the order of the query."""
    return [_row(standing) for standing in standings.select_related("member", "group")]


def standings(
    source: Source,
    *,
    stage: str | None = None,
    group: str | None = None,
    r: int | None = None,
    f: int | None = None,
    cohort: str | None = None,
    overdue: bool = False,
    search: str = "",
    sort: str = "money",
) -> QuerySet[Standing]:
    """Standings of a source, filtered and sorted; a filter that cannot match gives none."""
    found = Standing.objects.filter(source=source)
    if stage:
        found = found.filter(stage=STAGES.index(stage)) if stage in STAGES else found.none()
    if group:
        found = found.filter(group=group)
    if r:
        found = found.filter(r=r)
    if f:
        found = found.filter(f=f)
    if cohort:
        found = found.filter(_in_month(cohort))
    if overdue:
        found = found.filter(is_overdue=True)
    if search.strip():
        found = found.filter(_named(search.strip()))
    return found.order_by(*SORTS.get(sort, SORTS["money"]))


def members(source: Source, *, page: int = 1, per_page: int = 50, **filters: Any) -> MemberPage:
    """One page of `standings`; a page past the end is the last one."""
    found = standings(source, **filters)
    total = found.count()
    pages = max(1, -(-total // per_page))
    page = min(max(page, 1), pages)
    start = (page - 1) * per_page
    return MemberPage(member_rows(found[start : start + per_page]), total, page, pages)


def member_story(reference: str) -> MemberStory:
    """One member: where they stand, how they got there, what they bought.

    Raises:
        UnknownMember: nobody has this reference.
    """
    member = member_by_reference(reference)
    purchases = Purchase.objects.filter(member=member)
    standing = Standing.objects.filter(member=member).select_related("member", "group").first()
    return MemberStory(
        member=member,
        source=source_named(member.source),
        row=_row(standing) if standing else None,
        facts=MemberFacts.objects.filter(member=member).first(),
        moves=[
            _move(move) for move in StageMove.objects.filter(member=member).order_by("-since_on")
        ],
        purchases=_purchases(purchases.order_by("-at", "-id")[:PURCHASES_SHOWN]),
        purchases_total=purchases.count(),
        as_of=standing.as_of if standing else None,
    )


def _row(standing: Standing) -> MemberRow:
    return MemberRow(
        reference=standing.member.reference,
        name=standing.member.name,
        stage=STAGES[standing.stage],
        since_on=standing.since_on,
        next_move_on=standing.next_move_on,
        group=standing.group_id,
        group_name=standing.group.name,
        r=standing.r,
        f=standing.f,
        m=standing.m,
        orders=standing.orders,
        total_fen=standing.total_fen,
        first_on=standing.first_on,
        last_on=standing.last_on,
        days_since_last_order=standing.days_since_last_order,
        rhythm_days=standing.rhythm_days,
        still_normal=standing.still_normal,
        is_overdue=standing.is_overdue,
        at_stake_fen=standing.at_stake_fen,
    )


def _move(move: StageMove) -> MoveRow:
    return MoveRow(
        stage=STAGES[move.stage],
        previous_stage=None if move.previous_stage is None else STAGES[move.previous_stage],
        since_on=move.since_on,
        orders=move.orders,
        last_order_on=move.last_order_on,
        threshold_days=move.threshold_days,
        policy_version=move.policy_id,
    )


def _purchases(purchases: QuerySet[Purchase]) -> list[PurchaseRow]:
    found = list(purchases)
    items: dict[int, list[PurchaseLine]] = defaultdict(list)
    for line in PurchaseLine.objects.filter(purchase__in=[p.pk for p in found]).order_by("line"):
        items[line.purchase_id].append(line)
    return [
        PurchaseRow(p.at, p.on, p.amount_fen, p.quantity, p.order_number, items[p.pk])
        for p in found
    ]


def _in_month(cohort: str) -> Q:
    try:
        first = dt.date.fromisoformat(f"{cohort}-01")
    except ValueError:
        return Q(pk__in=())
    following = (first + dt.timedelta(days=32)).replace(day=1)
    return Q(first_on__gte=first, first_on__lt=following)


def _named(text: str) -> Q:
    """By reference, by the name in the log, or by a whole phone number."""
    found = Q(member__external_id__startswith=text)
    reference = ids.read_reference(text)
    if reference:
        found |= Q(member__reference=reference)
    phone = read_phone(text)
    if phone:
        found |= Q(member__external_id=sealing.blind_index(phone, PHONE_PURPOSE))
    return found
