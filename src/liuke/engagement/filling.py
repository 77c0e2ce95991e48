"""What stands for the variables of a text: loaded for a batch of members, only what the text names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from liuke.analytics import queries as analytics
from liuke.engagement import texts
from liuke.engagement.models import PlanVersion
from liuke.people.models import Member

# What a name is made of; a thousand keys as one value, not as a thousand.
_NAMED = """
SELECT id, reference, source, external_id, phone_sealed, phone_index, erased_at FROM people_member WHERE id = ANY(%s)
"""
_FIGURES = """
SELECT member_id, days_since_last_order, orders FROM analytics_standing WHERE member_id = ANY(%s)
"""
_LAST_ITEMS = """
SELECT wanted.id, last.item FROM unnest(%s::bigint[]) AS wanted (id)
JOIN LATERAL (
    SELECT l.item FROM analytics_purchase p JOIN analytics_purchase_line l ON l.purchase_id = p.id
    WHERE p.member_id = wanted.id AND p.amount_fen >= 0
    ORDER BY p.at DESC, p.id DESC, l.line LIMIT 1
) last ON true
"""
Filled = dict[int, dict[str, str | None]]


def written(version: PlanVersion, members: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Subject and body of a plan for each of these members."""
    filled = values(version, members)
    return {
        member: (texts.render(version.subject, found), texts.render(version.body, found))
        for member, found in filled.items()
    }


def values(version: PlanVersion, members: Sequence[int]) -> Filled:
    """What each variable of the version's texts is for each of these members."""
    wanted = texts.named(version.subject) | texts.named(version.body)
    shared = {"site": version.plan.source.title, "offer": version.offer}
    filled: Filled = {member: dict(shared) for member in members}
    if "member" in wanted:
        for member in Member.objects.raw(_NAMED, [list(members)]):
            filled[member.pk]["member"] = member.name
    away = analytics.days_away(version.plan.source, members) if "away" in wanted else {}
    for pk, days_away in away.items():
        filled[pk]["away"] = str(days_away)
    if wanted & {"days", "orders"}:
        for pk, days, orders in _rows(_FIGURES, members):
            filled[pk] |= {"days": str(days), "orders": str(orders)}
    if "last_item" in wanted:
        for pk, item in _rows(_LAST_ITEMS, members):
            filled[pk]["last_item"] = item
    return filled


def _rows(statement: str, members: Sequence[int]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(members)])
        return list(cursor.fetchall())
