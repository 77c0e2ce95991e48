"""One member: where they stand, how they got there, what they bought."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import QuerySet

from liuke.analytics.invariants import FACT_COLUMNS
from liuke.analytics.models import (
    MemberFacts,
    Purchase,
    PurchaseLine,
    Source,
    StageMove,
    Standing,
)
from liuke.analytics.queries.behaviour import behaviour_told
from liuke.analytics.queries.forecasts import forecast_told
from liuke.analytics.queries.lists import MemberRow, member_rows
from liuke.analytics.queries.member_states import segments_of
from liuke.analytics.queries.reports import source_named
from liuke.analytics.queries.shown_lists import shown_told
from liuke.analytics.rules import STAGES
from liuke.people.models import Member
from liuke.people.queries import member_by_reference

Json = dict[str, Any]
PURCHASES_SHOWN = 200


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


def member_story(reference: str) -> MemberStory:
    """One member: where they stand, how they got there, what they bought last.

    Raises:
        UnknownMember: nobody has this reference.
    """
    member = member_by_reference(reference)
    purchases = Purchase.objects.filter(member=member).order_by("-at", "-id")
    row, as_of = _standing(member)
    return MemberStory(
        member=member,
        source=source_named(member.source),
        row=row,
        facts=MemberFacts.objects.filter(member=member).first(),
        moves=_moves(member),
        purchases=_purchases(purchases[:PURCHASES_SHOWN]),
        purchases_total=purchases.count(),
        as_of=as_of,
    )


def file_of(member: Member) -> Json:
    """Everything this room keeps of one member, to be handed over: every purchase, JSON values only."""
    row, as_of = _standing(member)
    facts = MemberFacts.objects.filter(member=member).values(*FACT_COLUMNS).first()
    source = Source.objects.filter(key=member.source).values("key", "title", "currency").first()
    return {
        "source": source,  # None for a member of the site who never bought
        "standing": _plain({**asdict(row), "as_of": as_of}) if row else None,
        "facts": _plain(facts) if facts else None,
        "moves": [_plain(asdict(move)) for move in _moves(member)],
        "segments": [
            {"segment": segment.name or segment.shipped, "since": since_on.isoformat()}
            for segment, since_on in segments_of(member)
        ],
        "purchases": [
            _purchase_told(row)
            for row in _purchases(Purchase.objects.filter(member=member).order_by("at", "id"))
        ],
        "forecast": forecast_told(member),
        "shown": shown_told(member.pk),
        "behaviour": behaviour_told(member.pk),  # of the person's own row; others have none
    }


def _standing(member: Member) -> tuple[MemberRow | None, dt.date | None]:
    """Where a member stands, as of when; twice None before the first evaluation after their first order."""
    found = Standing.objects.filter(member=member)
    rows = member_rows(found)
    return (rows[0], found.values_list("as_of", flat=True)[0]) if rows else (None, None)


def _moves(member: Member) -> list[MoveRow]:
    return [
        MoveRow(
            stage=STAGES[move.stage],
            previous_stage=None if move.previous_stage is None else STAGES[move.previous_stage],
            since_on=move.since_on,
            orders=move.orders,
            last_order_on=move.last_order_on,
            threshold_days=move.threshold_days,
            policy_version=move.policy_id,
        )
        for move in StageMove.objects.filter(member=member).order_by("-since_on")
    ]


def _purchases(purchases: QuerySet[Purchase]) -> list[PurchaseRow]:
    found = list(purchases)
    items: dict[int, list[PurchaseLine]] = defaultdict(list)
    for line in PurchaseLine.objects.filter(purchase__in=[p.pk for p in found]).order_by("line"):
        items[line.purchase_id].append(line)
    return [
        PurchaseRow(p.at, p.on, p.amount_fen, p.quantity, p.order_number, items[p.pk])
        for p in found
    ]


def _purchase_told(row: PurchaseRow) -> Json:
    told = {
        name: getattr(row, name) for name in ("at", "on", "amount_fen", "quantity", "order_number")
    }
    items = [
        {"item": line.item, "quantity": line.quantity, "amount_fen": line.amount_fen}
        for line in row.items
    ]
    return {**_plain(told), "items": items}


def _plain(values: Json) -> Json:
    """Dates and moments as text, everything else as it is."""
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in values.items()
    }
