"""Who runs the expressions: DuckDB in this process, or Spark where a machine is too small for the lake."""

from __future__ import annotations

import importlib
import itertools
import os
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb
import ibis

from liuke.analytics.lake.errors import LakeDamaged, LakeNotWritten, NoSpark, UnknownEngine
from liuke.analytics.lake.expressions import Table
from liuke.analytics.lake.layout import escaped

MEMORY = "900MB"
DUCKDB, SPARK_LOCAL, SPARK = "duckdb:", "spark:local", "spark://"


class Engine(Protocol):
    """Reads Parquet, runs an expression, and writes Parquet or hands out a few rows."""

    rows_at_once: int | None
    """How many purchases are best folded at once; None when the engine sees to that itself."""

    def read(self, files: Sequence[Path]) -> Table:
        """The rows of one or more files of one shape."""
        ...

    def write(self, expression: Table, path: Path) -> None:
        """Run it; the rows go to one Parquet file, made whole or not at all."""
        ...

    def rows(self, expression: Table) -> list[tuple[int, ...]]:
        """Run it; for a few rows of whole numbers."""
        ...

    def close(self) -> None:
        """Let go of memory and processes."""
        ...


def connect(url: str, scratch: Path) -> Engine:
    """The engine of an address: empty or `duckdb:`, `spark:local[2]`, `spark://host:7077`.

    Raises:
        UnknownEngine: no such address.
        NoSpark: pyspark or Java is missing.
    """
    if url in ("", DUCKDB):
        return DuckEngine(scratch)
    if url.startswith(SPARK_LOCAL):
        return SparkEngine(url.removeprefix("spark:"))
    if url.startswith(SPARK):
        return SparkEngine(url)
    raise UnknownEngine(url=url)


class DuckEngine:
    """DuckDB with a bound on memory; what does not fit goes to a scratch folder."""

    rows_at_once: int | None = 10_000_000

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self.link: Any = ibis.duckdb.connect(
            threads=min(os.cpu_count() or 1, 4),
            memory_limit=MEMORY,
            temp_directory=str(scratch),
            preserve_insertion_order=False,
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
        )
        self.link.raw_sql("SET TimeZone = 'UTC'")

    def read(self, files: Sequence[Path]) -> Table:
        names = [escaped(path) for path in files]
        try:
            with warnings.catch_warnings():  # Ibis 12 asks DuckDB 2 by an older name
                warnings.simplefilter("ignore", DeprecationWarning)
                table: Table = self.link.read_parquet(names, hive_partitioning=False)
        except duckdb.Error as error:
            raise LakeDamaged(place=files[0].parent, reason=why(error)) from error
        return table

    def write(self, expression: Table, path: Path) -> None:
        """Sums of 64-bit numbers are wider in DuckDB than Ibis knows; every column is cast to what it is said to be."""
        kinds = {"int64": "BIGINT", "float64": "DOUBLE", "date": "DATE"}
        columns = ", ".join(
            f'"{name}"::{kinds[str(kind)]} AS "{name}"'
            for name, kind in expression.as_table().schema().items()
        )
        self.copy(f"SELECT {columns} FROM ({self.link.compile(expression)})", path)

    def copy(self, sql: str, path: Path) -> None:
        """The rows of a query, as one Parquet file."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.draft")
        try:
            self.link.raw_sql(
                f"COPY ({sql}) TO '{_quoted(draft)}' (FORMAT parquet, COMPRESSION zstd)"
            )
            os.replace(draft, path)
        except (duckdb.Error, OSError) as error:
            draft.unlink(missing_ok=True)
            raise told(error, path) from error

    def rows(self, expression: Table) -> list[tuple[int, ...]]:
        try:
            return list(self.link.raw_sql(self.link.compile(expression)).fetchall())
        except duckdb.Error as error:
            raise told(error, self._scratch) from error

    @staticmethod
    def name(path: Path) -> str:
        """A path inside the quotes of a statement that reads it."""
        return escaped(path).replace("'", "''")

    def close(self) -> None:
        self.link.disconnect()


class SparkEngine:
    """Spark, one session in UTC. The lake has to lie where all its workers can read it."""

    rows_at_once: int | None = None

    def __init__(self, master: str) -> None:
        try:
            session = importlib.import_module("pyspark.sql").SparkSession
            self._session: Any = (
                session.builder.master(master)
                .appName("liuke")
                .config("spark.sql.session.timeZone", "UTC")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", os.cpu_count() or 2)
                .getOrCreate()
            )
        except Exception as error:  # whatever keeps Java from starting
            raise NoSpark(reason=why(error)) from error
        self._session.sparkContext.setLogLevel("ERROR")
        self.link: Any = ibis.pyspark.connect(self._session)
        self._views = itertools.count(1)

    def read(self, files: Sequence[Path]) -> Table:
        view = f"lake_{next(self._views)}"
        frame = self._session.read.parquet(*(_hadoop_path(path) for path in files))
        frame.createOrReplaceTempView(view)
        table: Table = self.link.table(view)
        return table

    def write(self, expression: Table, path: Path) -> None:
        """Spark writes a folder of parts; the one part becomes the file."""
        folder = path.with_name(f"{path.name}.parts")
        frame = self._session.sql(self.link.compile(expression))
        frame.coalesce(1).write.mode("overwrite").parquet(f"file://{folder}")
        (part,) = folder.glob("part-*.parquet")
        os.replace(part, path)
        shutil.rmtree(folder)

    def rows(self, expression: Table) -> list[tuple[int, ...]]:
        return [tuple(row) for row in self._session.sql(self.link.compile(expression)).collect()]

    def close(self) -> None:
        self._session.stop()


def told(error: Exception, path: Path) -> LakeNotWritten | LakeDamaged:
    """What an engine's complaint means: about what it read, or about where it writes."""
    if isinstance(error, duckdb.Error) and not isinstance(error, duckdb.OutOfMemoryException):
        writes = "write" in str(error).lower()
    else:
        writes = True
    return (LakeNotWritten if writes else LakeDamaged)(place=path.parent, reason=why(error))


def why(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # pyarrow tells the same in many words
    words = str(error).strip()
    return words.splitlines()[0] if words else type(error).__name__


def _hadoop_path(path: Path) -> str:
    """The path with the signs that Hadoop would take for a search."""
    return "file://" + "".join(f"\\{sign}" if sign in "[]{}*?" else sign for sign in str(path))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
