"""How do purchases and their lines become Parquet files, a month a folder?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from liuke.analytics.lake.engines import DuckEngine, told, why
from liuke.analytics.lake.errors import LakeNotWritten
from liuke.analytics.lake.layout import Lake, LakeFile

FILES_OF_A_MONTH = 8
"""More than these, and a month's files become one."""

_ROW_GROUP = 131_072
_LINES = {
    "purchase_id": "BIGINT",
    "member_id": "BIGINT",
    "day": "DATE",
    "line": "BIGINT",
    "item": "VARCHAR",
    "quantity": "BIGINT",
    "amount_fen": "BIGINT",
}
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseArrays:
    """Parallel arrays, one entry a purchase: `day` since 1970-01-01, `at` in microseconds since then, UTC."""

    purchase_id: Ints
    member_id: Ints
    day: NDArray[np.int32]
    at: Ints
    amount_fen: Ints
    quantity: Ints


def write_purchases(lake: Lake, rows: PurchaseArrays) -> list[LakeFile]:
    """One file a month. Raises LakeNotWritten."""
    months = rows.day.astype("datetime64[D]").astype("datetime64[M]")
    order = np.lexsort((rows.purchase_id, months))
    months = months[order]
    table = pa.table(
        {
            "purchase_id": rows.purchase_id[order],
            "member_id": rows.member_id[order],
            "day": pa.array(rows.day[order], pa.int32()).cast(pa.date32()),
            "happened_at": pa.array(rows.at[order], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "amount_fen": rows.amount_fen[order],
            "quantity": rows.quantity[order],
        }
    )
    starts = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), len(months)]
    written = []
    for begin, end in pairwise(starts):
        ids = rows.purchase_id[order[begin:end]]
        path = _free_path(lake, "purchases", str(months[begin]), int(ids[0]), int(ids[-1]))
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            pq.write_table(
                table.slice(begin, end - begin), path, compression="zstd", row_group_size=_ROW_GROUP
            )
        except OSError as error:
            raise LakeNotWritten(place=lake.place, reason=why(error)) from error
        written.append(_entry(lake, path, end - begin, int(ids[0]), int(ids[-1])))
    return written


def write_lines(lake: Lake, engine: DuckEngine, text: Path) -> list[LakeFile]:
    """The lines in a CSV without a header, its columns those of the table; one file a month."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _LINES.items())
    source = (
        f"read_csv('{_quoted(text)}', header=false, columns={{{columns}}}, delim=',', quote='\"',"
        " escape='\"', auto_detect=false, nullstr='\\N')"
    )
    link = engine.link.con
    try:
        link.execute(f"CREATE OR REPLACE TEMP TABLE some_lines AS SELECT * FROM {source}")
    except (duckdb.Error, OSError) as error:
        raise told(error, lake.place) from error
    link.execute(
        "SELECT strftime(day, '%Y-%m') AS month, count(*), min(purchase_id), max(purchase_id)"
        " FROM some_lines GROUP BY ALL ORDER BY ALL"
    )
    written = []
    for month, rows, first, last in link.fetchall():
        path = _free_path(lake, "lines", month, first, last)
        engine.copy(
            f"SELECT * FROM some_lines WHERE strftime(day, '%Y-%m') = '{month}'"
            " ORDER BY purchase_id, line",
            path,
        )
        written.append(_entry(lake, path, rows, first, last))
    link.execute("DROP TABLE some_lines")
    return written


def tidied(lake: Lake, engine: DuckEngine, files: Sequence[LakeFile]) -> list[LakeFile]:
    """The same rows in fewer files, where a month has too many. The old files stay until they are swept."""
    months: dict[tuple[str, str], list[LakeFile]] = {}
    for file in files:
        months.setdefault((file.table, file.month), []).append(file)
    kept = []
    for (table, month), some in sorted(months.items()):
        if len(some) <= FILES_OF_A_MONTH:
            kept += some
            continue
        first, last = min(f.first_id for f in some), max(f.last_id for f in some)
        path = _free_path(lake, table, month, first, last)
        engine.copy(f"SELECT * FROM {_scan(lake, some)} ORDER BY purchase_id", path)
        kept.append(_entry(lake, path, sum(f.rows for f in some), first, last))
    return kept


def without_members(
    lake: Lake, engine: DuckEngine, files: Sequence[LakeFile], members: Sequence[int]
) -> list[LakeFile]:
    """The files without the rows of these members; those that have none stay as they are."""
    wanted = f"member_id IN ({', '.join(str(int(member)) for member in members)})"
    kept = []
    for file in files:
        scan = _scan(lake, [file])
        found = _row(engine, f"SELECT count(*) FROM {scan} WHERE {wanted}", lake)[0]
        if not found:
            kept.append(file)
        elif found < file.rows:
            path = _free_path(lake, file.table, file.month, file.first_id, file.last_id)
            engine.copy(f"SELECT * FROM {scan} WHERE NOT {wanted} ORDER BY purchase_id", path)
            kept.append(_entry(lake, path, file.rows - found, file.first_id, file.last_id))
    return kept


def _row(engine: DuckEngine, sql: str, lake: Lake) -> tuple[Any, ...]:
    try:
        row: tuple[Any, ...] = engine.link.con.execute(sql).fetchone()
    except duckdb.Error as error:
        raise told(error, lake.place) from error
    return row


def _scan(lake: Lake, files: Sequence[LakeFile]) -> str:
    names = ", ".join(f"'{DuckEngine.name(path)}'" for path in lake.paths(list(files)))
    return f"read_parquet([{names}], hive_partitioning=false)"


def _free_path(lake: Lake, table: str, month: str, first: int, last: int) -> Path:
    """A name that no file has: what is rewritten lies beside what it replaces until that is swept."""
    folder = lake.place / table / f"month={month}"
    for n in count(1):
        path = folder / f"{first}-{last}{'' if n == 1 else f'.{n}'}.parquet"
        if not path.exists():
            return path
    raise AssertionError("count() never ends")


def _entry(lake: Lake, path: Path, rows: int, first: int, last: int) -> LakeFile:
    name = path.relative_to(lake.place).as_posix()
    return LakeFile(name, rows, path.stat().st_size, first, last)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
