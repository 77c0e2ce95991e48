"""How do a million purchases come out of PostgreSQL as three numpy arrays?

Through COPY in binary form: with fixed-width columns that are never null every row has the same bytes, so the whole
stream is one structured array. No driver objects, no text.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg.sql import Literal

EPOCH = dt.date(1970, 1, 1)
_HEADER_BYTES = 19  # signature, flags, length of the header extension
_TRAILER_BYTES = 2
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
        with cursor.copy(sql) as copy:
            stream = b"".join(bytes(block) for block in copy)
    rows = np.frombuffer(stream, dtype=_ROW, offset=_HEADER_BYTES, count=_rows_in(stream))
    member, day = rows["member"].astype(np.int64), rows["day"].astype(np.int32)
    order = np.lexsort(
        (day, member)
    )  # once here: every measure of `science` reads sorted rows three times faster
    return PurchaseColumns(member[order], day[order], rows["amount"].astype(np.int64)[order])


def _rows_in(stream: bytes) -> int:
    rows, rest = divmod(len(stream) - _HEADER_BYTES - _TRAILER_BYTES, _ROW.itemsize)
    if rest:
        raise ValueError("COPY gave rows of uneven length: a column was null")
    return rows


def _literal(text: str) -> str:
    """COPY takes no parameters: quote a text for SQL."""

    with connection.cursor() as cursor:
        return Literal(text).as_string(cursor.connection)
