"""How is a Parquet file read, a few thousand rows at a time, as the text of its cells?

DuckDB does it, and is imported only here and only when a Parquet file is met. Text keeps one set
of rules for all formats, and the shortest text of a float is what its owner wrote.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from .errors import BrokenFile

_MEMORY = "1GB"


class Peek(NamedTuple):
    names: list[str]
    rows: list[list[str]]
    total: int


def peek(path: Path, rows: int) -> Peek:
    """The columns, the first rows and the number of rows."""
    duckdb = importlib.import_module("duckdb")
    try:
        with _connect(duckdb) as link:
            pattern = _pattern(path)
            link.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [pattern])
            count = int(link.fetchone()[0] or 0)
            columns = _columns(link, pattern)
            found = link.execute(f"{_query(columns)} LIMIT {rows}", [pattern]).fetchall()
    except duckdb.Error:
        raise BrokenFile(file=path.name, kind="Parquet") from None
    return Peek([name for name, _ in columns], [_texts(row) for row in found], count)


def batches(path: Path, rows: int) -> Iterator[list[list[str]]]:
    duckdb = importlib.import_module("duckdb")
    try:
        with _connect(duckdb) as link:
            pattern = _pattern(path)
            link.execute(_query(_columns(link, pattern)), [pattern])
            while found := link.fetchmany(rows):
                yield [_texts(row) for row in found]
    except duckdb.Error:
        raise BrokenFile(file=path.name, kind="Parquet") from None


def _connect(duckdb: Any) -> Any:
    config = {
        "threads": "1",
        "memory_limit": _MEMORY,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    link = duckdb.connect(":memory:", config=config)
    with suppress(duckdb.Error):  # without its calendar extension DuckDB writes UTC anyway
        link.execute("SET TimeZone = 'UTC'")
        link.execute("SET enable_progress_bar = false")
    return link


def _pattern(path: Path) -> str:
    """The path with the signs DuckDB would take for a search."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))


def _columns(link: Any, pattern: str) -> list[tuple[str, str]]:
    link.execute("DESCRIBE SELECT * FROM read_parquet(?)", [pattern])
    return [(str(row[0]), str(row[1])) for row in link.fetchall()]


def _query(columns: list[tuple[str, str]]) -> str:
    cells = ", ".join(f"CAST(c{at} AS VARCHAR)" for at in range(len(columns)))
    names = ", ".join(f"c{at}" for at in range(len(columns)))
    return f"SELECT {cells} FROM read_parquet(?) AS log({names})"


def _texts(row: tuple[str | None, ...]) -> list[str]:
    return ["" if cell is None else cell for cell in row]
