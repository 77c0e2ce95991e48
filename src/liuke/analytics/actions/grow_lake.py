"""Bring the lake of a source up to date: new purchases out of PostgreSQL into Parquet, then the night's figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from psycopg.sql import SQL, Composed, Literal

from liuke.analytics import queries
from liuke.analytics.actions.compare_lake import Comparison, compare_lake
from liuke.analytics.assessment import lifecycle_rules
from liuke.analytics.columns import to_date, to_day
from liuke.analytics.errors import LakeUnusable
from liuke.analytics.lake.errors import LakeTrouble
from liuke.analytics.lake.growing import Increment, grow
from liuke.analytics.lake.layout import Lake, Manifest
from liuke.analytics.lake.nightly import Night, run_night
from liuke.analytics.lake.writing import PurchaseArrays
from liuke.analytics.models import Source

PORTION = 1_000_000
"""Rows that are in memory at once."""

_HEAD = len(b"PGCOPY\n\xff\r\n\x00") + 8  # signature, flags, length of the header extension
_TRAILER = b"\xff\xff"
_YEAR_2000_DAYS, _YEAR_2000_MICROSECONDS = 10_957, 946_684_800_000_000
_COLUMNS = {
    "id": ">i8",
    "member": ">i8",
    "day": ">i4",
    "at": ">i8",
    "amount": ">i8",
    "quantity": ">i8",
}
_ROW = np.dtype(
    [("fields", ">i2")]
    + [
        field
        for name, kind in _COLUMNS.items()
        for field in ((f"{name}_bytes", ">i4"), (name, kind))
    ]
)
# Whoever brings purchases to a source holds this while they have ids and are not committed. With it in hand nothing
# of the source is under way, and what comes later gets larger ids: so the largest id now is a safe end.
_NOBODY_BRINGS = "SELECT pg_advisory_xact_lock_shared(hashtext('analytics.import'), hashtext(%s))"
_LAST = "SELECT id, digest FROM analytics_purchase ORDER BY id DESC LIMIT 1"
_WHICH = """
FROM analytics_purchase p JOIN people_member m ON m.id = p.member_id {lines}
WHERE m.source = {source} AND m.erased_at IS NULL AND p.id > {after} AND p.id <= {until}
"""
_PURCHASES = 'COPY (SELECT p.id, p.member_id, p."on", p.at, p.amount_fen, p.quantity {which}) TO STDOUT (FORMAT binary)'
_LINES = (
    'COPY (SELECT p.id, p.member_id, p."on", l.line, l.item, l.quantity, l.amount_fen {which})'
    " TO STDOUT (FORMAT csv, FORCE_QUOTE (item), NULL '\\N')"
)


@dataclass(frozen=True)
class Rebuilt:
    """The lake of a source as it is now, and what the night told; `is_afresh` when nothing old was kept."""

    source: Source
    as_of: dt.date
    purchases: int
    purchases_new: int
    members_erased: int
    is_afresh: bool
    told: dict[str, Any]
    comparison: Comparison


def rebuild_lake(
    *, source: Source, afresh: bool = False, recount: bool = False, as_of: dt.date | None = None
) -> Rebuilt:
    """Grow the lake, count the night, compare it with the running figures. Runs of one source take turns.

    `afresh` exports everything again, `recount` counts everything again. `as_of` defaults as for an evaluation.

    Raises:
        NoOrdersYet: the source has none.
        LakeUnusable: the disk is full, a file is damaged, the engine does not start; the lake is as it was.
    """
    as_of = as_of or queries.as_of_default(source)
    lake = Lake.of(Path(settings.LIUKE_HOME), source.key)
    policy = queries.policy()
    try:
        with lake.held():
            lake.sweep()
            before = _known(lake, afresh=afresh)
            after = grow(lake, before, _what_came(lake, source, before))
            night = Night(
                to_day(as_of),
                lifecycle_rules(policy),
                policy.stake_horizon_days,
                recount=recount or not before.watermark,
            )
            told = run_night(lake, after, night, url=settings.LIUKE_ANALYTICS_URL)
            comparison = compare_lake(source=source, lake=lake, told=told)
            told = {**told, "drift": comparison.as_json()}
            lake.tell_nightly(told)
            if after.generation != before.generation:
                lake.sweep()  # at once: somebody was erased
    except LakeTrouble as trouble:
        raise LakeUnusable(reason=str(trouble)) from trouble
    return Rebuilt(
        source=source,
        as_of=to_date(told["as_of_day"]),
        purchases=after.purchases,
        purchases_new=sum(
            file.rows for file in after.of("purchases") if file.last_id > before.watermark
        ),
        members_erased=len(after.erased) - len(before.erased),
        is_afresh=not before.watermark,
        told=told,
        comparison=comparison,
    )


def _known(lake: Lake, *, afresh: bool) -> Manifest:
    """What the lake holds; nothing when the database no longer has its last purchase, as after a restore."""
    manifest = None if afresh else lake.manifest()
    if manifest is None:
        return Manifest()
    if manifest.watermark:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT digest FROM analytics_purchase WHERE id = %s", [manifest.watermark]
            )
            if cursor.fetchone() != (manifest.last_digest,):
                return Manifest()
    return manifest


def _what_came(lake: Lake, source: Source, before: Manifest) -> Increment:
    until, digest = safe_end(source)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM people_member WHERE source = %s AND erased_at IS NOT NULL", [source.key]
        )
        erased = [row[0] for row in cursor.fetchall()]
    bounds = {"source": source.key, "after": before.watermark, "until": until}
    nothing = until == before.watermark
    return Increment(
        purchases=() if nothing else _purchases(bounds),
        lines=() if nothing else _lines(lake.scratch / "lines.csv", bounds),
        watermark=until,
        digest=digest,
        erased=erased,
    )


def safe_end(source: Source) -> tuple[int, int]:
    """Id and digest of the last purchase, such that no purchase of the source with a smaller id is still to come.

    Waits for imports of the source that are under way.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NOBODY_BRINGS, [source.key])
        cursor.execute(_LAST)
        row: tuple[int, int] = cursor.fetchone() or (0, 0)
    return row


def _purchases(bounds: dict[str, Any]) -> Iterator[PurchaseArrays]:
    """Purchases in portions. COPY streams: neither side holds them all."""
    size, stream, begun = _ROW.itemsize, bytearray(), False
    with connection.cursor() as cursor, cursor.copy(_statement(_PURCHASES, "", bounds)) as copy:
        for block in copy:
            stream += block
            if not begun and len(stream) >= _HEAD:
                del stream[:_HEAD]
                begun = True
            if len(stream) >= PORTION * size:
                whole = len(stream) // size * size
                yield _arrays(bytes(stream[:whole]))
                del stream[:whole]
    if bytes(stream[-len(_TRAILER) :]) != _TRAILER or (len(stream) - len(_TRAILER)) % size:
        raise ValueError("COPY gave rows of uneven length: a column was null")
    if len(stream) > len(_TRAILER):
        yield _arrays(bytes(stream[: -len(_TRAILER)]))


def _arrays(rows: bytes) -> PurchaseArrays:
    found = np.frombuffer(rows, dtype=_ROW)
    return PurchaseArrays(
        purchase_id=found["id"].astype(np.int64),
        member_id=found["member"].astype(np.int64),
        day=(found["day"] + _YEAR_2000_DAYS).astype(np.int32),
        at=found["at"].astype(np.int64) + _YEAR_2000_MICROSECONDS,
        amount_fen=found["amount"].astype(np.int64),
        quantity=found["quantity"].astype(np.int64),
    )


def _lines(place: Path, bounds: dict[str, Any]) -> Iterator[Path]:
    """Item lines as a CSV file, a portion at a time in the same place."""
    lines = "JOIN analytics_purchase_line l ON l.purchase_id = p.id"
    with connection.cursor() as cursor, cursor.copy(_statement(_LINES, lines, bounds)) as copy:
        rows = iter(copy)
        while _write_some(place, rows):
            yield place


def _write_some(place: Path, rows: Iterator[Any]) -> int:
    """Up to a portion of rows; PostgreSQL sends one row a message."""
    written = 0
    with place.open("wb") as file:
        for row in rows:
            file.write(row)
            written += 1
            if written == PORTION:
                break
    return written


def _statement(statement: str, lines: str, bounds: dict[str, Any]) -> Composed:
    """COPY takes no parameters: the bounds are written into it, quoted."""
    which = SQL(_WHICH).format(lines=SQL(lines), **{k: Literal(v) for k, v in bounds.items()})
    return SQL(statement).format(which=which)
