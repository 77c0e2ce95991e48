"""What does the product promise about its own database, and is it so?

A room lists its promises in `queries.invariants()`; `liuke audit` counts the rows that break each.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class Invariant:
    """One promise. `sql` selects the rows that break it: none when it holds."""

    name: str
    promise: str
    sql: str


@dataclass(frozen=True)
class Finding:
    """How many rows break a promise, with a few of them."""

    invariant: Invariant
    violations: int
    examples: tuple[str, ...]


def check(invariant: Invariant) -> Finding:
    """Count what breaks the promise now."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({invariant.sql}) AS broken")
        (violations,) = cursor.fetchone()
        examples: tuple[str, ...] = ()
        if violations:
            cursor.execute(
                f"SELECT row_to_json(broken)::text FROM ({invariant.sql}) AS broken LIMIT 3"
            )
            examples = tuple(text for (text,) in cursor.fetchall())
    return Finding(invariant, violations, examples)
