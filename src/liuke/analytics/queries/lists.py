"""Lists of members: filtered, sorted, in pages or as a whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from liuke.analytics.models import Source, Standing
from liuke.analytics.rules import BOUNDS, STAGES
from liuke.base import ids, sealing
from liuke.people.rules import PHONE_PURPOSE, read_phone

SORTS = {
    "money": ("-total_fen", "member_id"),
    "at_stake": ("-is_overdue", "-at_stake_fen", "member_id"),
    "recent": ("days_since_last_order", "member_id"),
    "orders": ("-orders", "member_id"),
}
ROWS_AT_ONCE = 10_000


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


def standings(source: Source, *, sort: str = "money", **filters: Any) -> QuerySet[Standing]:
    """Standings of a source, filtered (see `fits`) and sorted; a filter that cannot match gives none."""
    found = Standing.objects.filter(fits(**filters), source=source)
    return found.order_by(*SORTS.get(sort, SORTS["money"]))


def fits(
    *,
    stage: str | None = None,
    group: str | None = None,
    r: int | None = None,
    f: int | None = None,
    cohort: str | None = None,
    overdue: bool = False,
    search: str = "",
    **bounds: int | None,
) -> Q:
    """The condition a standing has to meet. `bounds` are the keys of `BOUNDS`, each end included.

    `cohort` is the month of the first order, as 2026-03.
    """
    exact = {"group": group, "r": r, "f": f}
    found = Q(**{name: value for name, value in exact.items() if value})
    if stage:
        found &= Q(stage=STAGES.index(stage)) if stage in STAGES else Q(pk__in=())
    if cohort:
        found &= _in_month(cohort)
    if overdue:
        found &= Q(is_overdue=True)
    if search.strip():
        found &= _named(search.strip())
    return found & Q(**{BOUNDS[key]: end for key, end in bounds.items() if end is not None})


def members(source: Source, *, page: int = 1, per_page: int = 50, **filters: Any) -> MemberPage:
    """One page of `standings`; a page past the end is the last one."""
    found = standings(source, **filters)
    total = found.count()
    pages = max(1, -(-total // per_page))
    page = min(max(page, 1), pages)
    start = (page - 1) * per_page
    return MemberPage(member_rows(found[start : start + per_page]), total, page, pages)


def member_rows(standings: QuerySet[Standing]) -> list[MemberRow]:
    """Standings as lists show them, in the order of the query."""
    return [member_row(standing) for standing in standings.select_related("member", "group")]


def all_rows(source: Source, *, sort: str = "money", **filters: Any) -> Iterator[MemberRow]:
    """Everyone who fits, in the order of `standings`, drawn some at a time.

    Each draw begins behind the last row of the one before instead of counting from the start, and none holds a
    transaction open while its rows are sent somewhere slow.
    """
    order = SORTS.get(sort, SORTS["money"])
    found = standings(source, sort=sort, **filters).select_related("member", "group")
    some = list(found[:ROWS_AT_ONCE])
    while some:
        yield from map(member_row, some)
        some = list(found.filter(_behind(some[-1], order))[:ROWS_AT_ONCE])


def _behind(last: Standing, order: tuple[str, ...]) -> Q:
    """What comes after a row in an order whose columns run down where they begin with a minus."""
    behind, same = Q(), Q()
    for column in order:
        name, runs_down = column.lstrip("-"), column.startswith("-")
        value = getattr(last, name)
        behind |= same & Q(**{f"{name}__{'lt' if runs_down else 'gt'}": value})
        same &= Q(**{name: value})
    first = order[0].lstrip("-")  # said once more, alone: this one an index can use
    bound = "lte" if order[0].startswith("-") else "gte"
    return behind & Q(**{f"{first}__{bound}": getattr(last, first)})


def member_row(standing: Standing) -> MemberRow:
    """A standing in words; its member and group had better be loaded with it."""
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
