"""Recount every member's figures from the purchases and compare them with those kept while orders came in."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from liuke.analytics.invariants import DRIFT, FACT_COLUMNS, RECOUNT

_SET = ", ".join(f"{column} = excluded.{column}" for column in FACT_COLUMNS)
_COLUMNS = ", ".join(FACT_COLUMNS)


@dataclass(frozen=True)
class Drift:
    """How many members were compared, whose figures differed, and whether they were put right."""

    members: int
    drifted: tuple[int, ...]
    repaired: bool


def rebuild_facts(*, repair: bool = False) -> Drift:
    """Compare all facts with a recount; with `repair`, replace those that differ. One transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE analytics_member_facts IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT count(DISTINCT member_id) FROM analytics_purchase")
        (members,) = cursor.fetchone()
        cursor.execute(DRIFT)
        drifted = tuple(sorted(member for (member,) in cursor.fetchall()))
        if repair and drifted:
            cursor.execute(
                f"INSERT INTO analytics_member_facts (member_id, {_COLUMNS})"
                f" SELECT member_id, {_COLUMNS} FROM ({RECOUNT}) counted WHERE member_id = ANY(%s)"
                f" ON CONFLICT (member_id) DO UPDATE SET {_SET}",
                [list(drifted)],
            )
            cursor.execute(
                "DELETE FROM analytics_member_facts f WHERE member_id = ANY(%s)"
                " AND NOT EXISTS (SELECT 1 FROM analytics_purchase p WHERE p.member_id = f.member_id)",
                [list(drifted)],
            )
    return Drift(members, drifted, repair and bool(drifted))
