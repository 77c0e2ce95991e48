"""Do the running figures of the members say what a count of the lake says?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import numpy as np
from django.db import connection

from liuke.analytics.invariants import FACT_COLUMNS
from liuke.analytics.lake.engines import DuckEngine
from liuke.analytics.lake.layout import Lake
from liuke.analytics.models import Source

NAMED_MAX = 1_000

_WAITING = (
    "SELECT EXISTS (SELECT 1 FROM events_pending p JOIN events_event e ON e.id = p.event_id"
    " WHERE e.name = 'analytics.OrdersImported')"
)
_KEPT = """
SELECT f.member_id, orders, order_days, returns, coalesce(first_on - date '1970-01-01', -1),
       coalesce(last_on - date '1970-01-01', -1), spent_fen, returned_fen
FROM analytics_member_facts f JOIN people_member m ON m.id = f.member_id WHERE m.source = %s
"""
# Who bought since, or was erased since: the lake is behind with them, not wrong.
_BEHIND = """
SELECT DISTINCT p.member_id FROM analytics_purchase p WHERE p.id > %(watermark)s
UNION SELECT id FROM people_member WHERE source = %(source)s AND erased_at IS NOT NULL
"""
_COUNTED = """
SELECT member_id, orders, order_days, returns, coalesce(first_day, -1) AS first_on, coalesce(last_day, -1) AS last_on,
       spent_fen, returned_fen
FROM read_parquet([{facts}])
"""


@dataclass(frozen=True)
class Comparison:
    """How many members were compared, how many differ, and the first of these; `is_waiting` when none could be,
    because an import is still being counted."""

    members: int
    drifted: int
    named: tuple[int, ...]
    is_waiting: bool = False

    def as_json(self) -> dict[str, Any]:
        """As it stands in `nightly.json`."""
        return asdict(self)


def compare_lake(*, source: Source, lake: Lake, told: dict[str, Any]) -> Comparison:
    """Compare the running figures with the facts of a night, to the smallest unit.

    Reads what waits, then the figures, then who bought since: whatever is committed in between is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        if cursor.fetchone() == (True,):
            return Comparison(0, 0, (), is_waiting=True)
        with connection.chunked_cursor() as rows:
            rows.execute(_KEPT, [source.key])
            kept = _table(iter(lambda: rows.fetchmany(50_000), []))
        cursor.execute(_BEHIND, {"watermark": told["watermark"], "source": source.key})
        behind = np.array([row[0] for row in cursor.fetchall()], dtype=np.int64)
    return _compared(lake, told, kept, behind)


def _table(portions: Any) -> dict[str, Any]:
    arrays = [np.array(portion, dtype=np.int64) for portion in portions]
    table = np.concatenate(arrays) if arrays else np.empty((0, 8), dtype=np.int64)
    names = ("member_id", *FACT_COLUMNS)
    return {name: table[:, at].copy() for at, name in enumerate(names)}


def _compared(lake: Lake, told: dict[str, Any], kept: dict[str, Any], behind: Any) -> Comparison:
    names = [f"kept.{name}" for name in FACT_COLUMNS], [f"counted.{name}" for name in FACT_COLUMNS]
    facts, ahead = (
        ", ".join(f"'{DuckEngine.name(lake.place / name)}'" for name in told[part])
        for part in ("facts", "ahead")
    )
    link = duckdb.connect()
    link.register("kept", kept)
    link.register("behind", {"member_id": behind})
    link.execute("CREATE TABLE left_out AS SELECT member_id FROM behind")
    if ahead:
        link.execute(f"INSERT INTO left_out SELECT member_id FROM read_parquet([{ahead}])")
    link.execute(
        f"CREATE TABLE both_told AS SELECT coalesce(kept.member_id, counted.member_id) AS member,"
        f" ({', '.join(names[0])}) IS DISTINCT FROM ({', '.join(names[1])}) AS differs"
        f" FROM kept FULL JOIN ({_COUNTED.format(facts=facts)}) counted ON kept.member_id = counted.member_id"
        " WHERE coalesce(kept.member_id, counted.member_id) NOT IN (SELECT member_id FROM left_out)"
    )
    link.execute("SELECT count(*), count(*) FILTER (differs) FROM both_told")
    members, drifted = link.fetchone() or (0, 0)
    link.execute(f"SELECT member FROM both_told WHERE differs ORDER BY member LIMIT {NAMED_MAX}")
    named = tuple(row[0] for row in link.fetchall())
    link.close()
    return Comparison(members, drifted, named)
