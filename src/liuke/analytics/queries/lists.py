"""Lists of members: filtered, sorted, in pages or as a whole."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from liuke.analytics.models import Forecast, MemberSegments, Segment, Source, Standing
from liuke.analytics.rules import BOUNDS, STAGES
from liuke.base import ids, sealing
from liuke.people.models import Member
from liuke.people.rules import PHONE_PURPOSE, read_phone

SORTS = {
    "money": ("-total_fen", "member_id"),
    "at_stake": ("-is_overdue", "-at_stake_fen", "member_id"),
    "recent": ("days_since_last_order", "member_id"),
    "orders": ("-orders", "member_id"),
}
ROWS_AT_ONCE = 2_000
_KEYS_AT_ONCE = 50_000


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
    keys = SORTS.get(sort, SORTS["money"])
    if filters.get("within"):
        # By a value of no index: walking one to the few who are in, or to its end, takes seconds at a million.
        first = keys[0].removeprefix("-")
        value = Coalesce(first, first)
        return found.order_by(value.desc() if first != keys[0] else value.asc(), *keys[1:])
    return found.order_by(*keys)


def fits(
    *,
    stage: str | None = None,
    group: str | None = None,
    r: int | None = None,
    f: int | None = None,
    cohort: str | None = None,
    overdue: bool = False,
    leaving: bool = False,
    within: str | None = None,
    search: str = "",
    **bounds: int | None,
) -> Q:
    """The condition a standing has to meet. `bounds` are the keys of `BOUNDS`, each end included.

    `cohort` is the month of the first order, as 2026-03; `within` a segment, by its stored membership.
    """
    exact = {"group": group, "r": r, "f": f}
    found = Q(**{name: value for name, value in exact.items() if value})
    if stage:
        found &= Q(stage=STAGES.index(stage)) if stage in STAGES else Q(pk__in=())
    if cohort:
        found &= _in_month(cohort)
    if overdue:
        found &= Q(is_overdue=True)
    if leaving:
        found &= Q(pk__in=Forecast.objects.filter(is_leaving=True).values("member_id"))
    if within:
        named = list(Segment.objects.filter(reference=within).values_list("pk", flat=True))
        inside = MemberSegments.objects.filter(inside__contains=named)
        found &= Q(pk__in=inside.values("member_id") if named else ())
    if search.strip():
        found &= _named(search.strip())
    return found & Q(**{BOUNDS[key]: end for key, end in bounds.items() if end is not None})


def members(source: Source, *, page: int = 1, per_page: int = 50, **filters: Any) -> MemberPage:
    """One page of `standings`; a page past the end is the last one."""
    found = standings(source, **filters)
    asked = {key: value for key, value in filters.items() if value and key != "sort"}
    is_segment = set(asked) == {"within"}
    total = _size_kept(source, asked["within"]) if is_segment else found.count()
    pages = max(1, -(-total // per_page))
    page = min(max(page, 1), pages)
    start = (page - 1) * per_page
    return MemberPage(member_rows(found[start : start + per_page]), total, page, pages)


def _size_kept(source: Source, reference: str) -> int:
    """How many members a segment of the source has, as kept by the refreshing."""
    found = Segment.objects.filter(source=source, reference=reference)
    return found.values_list("members", flat=True).first() or 0


def member_rows(standings: QuerySet[Standing]) -> list[MemberRow]:
    """Standings as lists show them, in the order of the query."""
    return [_row(*values) for values in standings.values_list(*_COLUMNS)]


def all_rows(source: Source, *, sort: str = "money", **filters: Any) -> Iterator[MemberRow]:
    """Everyone who fits, in the order of `standings`, for exports of any length.

    Whom it takes and in which order is asked once (8 bytes a member); their rows are then fetched by key, some at a
    time, so that the last thousand cost no more than the first and no transaction stays open. Whoever is gone by
    their turn is left out.
    """
    found = standings(source, sort=sort, **filters).values_list("pk", flat=True)
    wanted = array("q", found.iterator(chunk_size=_KEYS_AT_ONCE))
    for start in range(0, len(wanted), ROWS_AT_ONCE):
        some = wanted[start : start + ROWS_AT_ONCE].tolist()
        rows = Standing.objects.filter(pk__in=some).values_list("pk", *_COLUMNS)
        by_key = {values[0]: values[1:] for values in rows}
        yield from (_row(*by_key[key]) for key in some if key in by_key)


_CALLED_BY = ("reference", "source", "external_id", "phone_sealed", "erased_at")
_COLUMNS = (
    "stage", *(f"member__{name}" for name in _CALLED_BY), "since_on", "next_move_on", "group_id",
    "group__name", "r", "f", "m", "orders", "total_fen", "first_on", "last_on",
    "days_since_last_order", "rhythm_days", "still_normal", "is_overdue", "at_stake_fen",
)  # fmt: skip


def _row(
    stage: int,
    reference: str,
    source: str,
    external_id: str,
    sealed: Any,
    erased_at: Any,
    *rest: Any,
) -> MemberRow:
    """A row from its columns. Most members are called what their log calls them: for them no model is made."""
    name = external_id
    if sealed is not None or erased_at is not None:
        called_by = (reference, source, external_id, sealed, erased_at)
        name = Member(**dict(zip(_CALLED_BY, called_by, strict=True))).name
    return MemberRow(reference, name, STAGES[stage], *rest)


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
