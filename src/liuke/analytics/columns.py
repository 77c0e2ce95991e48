"""How do a million rows get out of PostgreSQL as numpy arrays, and back in?

Through COPY in binary form: with fixed-width columns that are never null every row has the same bytes, so the whole
stream is one structured array. No driver objects, no text.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg.sql import Literal

EPOCH = dt.date(1970, 1, 1)
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)  # flags, length of the header extension
_TRAILER = b"\xff\xff"
_ROWS_AT_ONCE = 50_000
_DATE_SHIFT = 10_957  # PostgreSQL counts days from 2000-01-01
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("member_bytes", ">i4"),
        ("member", ">i8"),
        ("day_bytes", ">i4"),
        ("day", ">i4"),
        ("amount_bytes", ">i4"),
        ("amount", ">i8"),
    ]
)
_WIRE = {
    "bigint": ">i8",
    "integer": ">i4",
    "smallint": ">i2",
    "date": ">i4",
    "boolean": "u1",
    "double": ">f8",
}
_COPY = """
COPY (
    SELECT p.member_id, (p."on" - date '1970-01-01')::int4, p.amount_fen
    FROM analytics_purchase p JOIN people_member m ON m.id = p.member_id
    WHERE m.source = {source} AND p."on" <= {until}
) TO STDOUT (FORMAT binary)
"""


@dataclass(frozen=True)
class PurchaseColumns:
    """Parallel arrays, one entry a purchase, by member and day: member id, days since 1970-01-01, minor units."""

    member: NDArray[np.int64]
    day: NDArray[np.int32]
    amount: NDArray[np.int64]


def to_day(on: dt.date) -> int:
    """A date as days since 1970-01-01."""
    return (on - EPOCH).days


def to_date(day: int) -> dt.date:
    """Days since 1970-01-01 as a date."""
    return EPOCH + dt.timedelta(days=int(day))


def purchase_columns(source_key: str, until: dt.date) -> PurchaseColumns:
    """Every purchase of a source's members up to and including a site-local day."""
    with connection.cursor() as cursor:
        sql = _COPY.format(source=_literal(source_key), until=_literal(until.isoformat()))
        stream = bytearray()
        with cursor.copy(sql) as copy:
            for block in copy:
                stream += block
    rows = np.frombuffer(stream, dtype=_ROW, offset=len(_SIGNATURE), count=_rows_in(stream))
    member, day = rows["member"].astype(np.int64), rows["day"].astype(np.int32)
    order = np.lexsort(
        (day, member)
    )  # once here: every measure of `science` reads sorted rows three times faster
    return PurchaseColumns(member[order], day[order], rows["amount"].astype(np.int64)[order])


def copy_in(table: str, columns: dict[str, tuple[str, NDArray[Any]]]) -> None:
    """Append rows to a table: for each column its PostgreSQL type (a key of the wire formats) and its values.

    Dates are days since 1970-01-01. All arrays have the same length; nothing may be null.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    length = len(next(iter(columns.values()))[1])
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(_SIGNATURE)
        for start in range(0, length, _ROWS_AT_ONCE):
            copy.write(_packed(columns, slice(start, start + _ROWS_AT_ONCE)))
        copy.write(_TRAILER)


def _packed(columns: dict[str, tuple[str, NDArray[Any]]], some: slice) -> bytes:
    wire = [(name, _WIRE[kind]) for name, (kind, _) in columns.items()]
    fields = [field for name, form in wire for field in ((f"{name}_bytes", ">i4"), (name, form))]
    rows = np.empty(len(next(iter(columns.values()))[1][some]), dtype=[("fields", ">i2"), *fields])
    rows["fields"] = len(columns)
    for name, (kind, values) in columns.items():
        rows[f"{name}_bytes"] = np.dtype(_WIRE[kind]).itemsize
        rows[name] = values[some] - (_DATE_SHIFT if kind == "date" else 0)
    return rows.tobytes()


def _rows_in(stream: bytearray) -> int:
    rows, rest = divmod(len(stream) - len(_SIGNATURE) - len(_TRAILER), _ROW.itemsize)
    if rest:
        raise ValueError("COPY gave rows of uneven length: a column was null")
    return rows


def _literal(text: str) -> str:
    """COPY takes no parameters: quote a text for SQL."""

    with connection.cursor() as cursor:
        return Literal(text).as_string(cursor.connection)
