"""What rules can ask of one member, and why somebody is in a segment or out of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from liuke.analytics.models import (
    Forecast,
    MemberFacts,
    MemberSegments,
    Purchase,
    Segment,
    Source,
    Standing,
)
from liuke.analytics.queries.audiences import day_of
from liuke.analytics.rules import STAGES
from liuke.analytics.segments import grammar, predicate
from liuke.analytics.segments.grammar import Node
from liuke.analytics.segments.logins import LOGIN_DAYS
from liuke.analytics.segments.predicate import MemberState
from liuke.people.models import Member

_LAST_SEEN = f"""
SELECT asked.id, greatest(f.last_on, (SELECT max(p."on") FROM ({LOGIN_DAYS}) p WHERE p.member_id = asked.id))
FROM unnest(%(members)s::bigint[]) AS asked (id)
LEFT JOIN analytics_member_facts f ON f.member_id = asked.id
"""


@dataclass(frozen=True)
class Part:
    """One condition of a rule, and whether the member meets it."""

    rule: Node
    holds: bool


@dataclass(frozen=True)
class WhyIn:
    """Whether a member is in by the rule, asked at this moment, and each of its conditions."""

    holds: bool
    parts: list[Part]


def member_state(member: Member) -> MemberState | None:
    """What rules can ask of a member; None before the first evaluation after their first order."""
    standing = Standing.objects.select_related("source").filter(member=member).first()
    if standing is None:
        return None
    facts = MemberFacts.objects.filter(member=member).first()
    forecast = Forecast.objects.filter(member=member).first()
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT max(p."on") FROM ({LOGIN_DAYS}) p WHERE p.member_id = %s', [member.pk]
        )
        (last_login_on,) = cursor.fetchone()
    inside = Segment.objects.filter(pk__in=_inside(member))
    return MemberState(
        day=day_of(standing.source),
        stage=STAGES[standing.stage],
        since_on=standing.since_on,
        group=standing.group_id,
        first_on=standing.first_on,
        is_overdue=standing.is_overdue,
        figures=_figures(standing, facts, forecast),
        last_on=facts.last_on if facts else None,
        last_login_on=last_login_on,
        purchases=list(Purchase.objects.filter(member=member).values_list("on", "amount_fen")),
        segments=frozenset(inside.values_list("reference", flat=True)),
        is_leaving=forecast is not None and forecast.is_leaving,
        first_reason=forecast.reasons[0] if forecast and forecast.reasons else "",
    )


def days_away(source: Source, member_ids: Collection[int]) -> dict[int, int]:
    """Member → days since they were last seen, at the source's day: their last login or order, whichever is later."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_SEEN, {"members": list(member_ids)})
        seen = cursor.fetchall()
    day = day_of(source)
    return {member: max(0, (day - on).days) for member, on in seen if on is not None}


def segments_of(member: Member) -> list[tuple[Segment, dt.date]]:
    """The segments in use that a member is in, and since which day."""
    inside = _inside(member)
    found = Segment.objects.filter(pk__in=inside, retired_at=None).order_by("name", "id")
    return [(segment, inside[segment.pk]) for segment in found]


def _inside(member: Member) -> dict[int, dt.date]:
    """Segment id → the day since which a member is in."""
    kept = MemberSegments.objects.filter(member=member).first()
    return dict(zip(kept.inside, kept.since_on, strict=True)) if kept else {}


def why_in(segment: Segment, member: Member) -> WhyIn | None:
    """Each condition of a segment's rule for one member; None when they have no standing in its source."""
    state = member_state(member)
    if state is None or member.source != segment.source.key:
        return None
    rule = grammar.read(segment.rule)
    leaves = [each for each in grammar.walk(rule) if grammar.is_leaf(each)]
    parts = [Part(leaf, predicate.holds(leaf, state)) for leaf in leaves]
    return WhyIn(predicate.holds(rule, state), parts)


def _figures(
    standing: Standing, facts: MemberFacts | None, forecast: Forecast | None
) -> dict[str, int]:
    names = {"days": "days_since_last_order"}
    found = {
        name: getattr(standing, names.get(name, name))
        for name, (read_from, *_) in grammar.FIGURES.items()
        if read_from == grammar.STANDING
    }
    if facts is not None:
        found |= {
            "orders_ever": facts.orders,
            "order_days_ever": facts.order_days,
            "returns_ever": facts.returns,
            "spent_ever_fen": facts.spent_fen,
            "returned_ever_fen": facts.returned_fen,
        }
    if forecast is not None and forecast.recoverable_fen is not None:
        found["recoverable_fen"] = forecast.recoverable_fen
    return found
