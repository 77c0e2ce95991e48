"""What kind of file is this, and how is it laid out?

`look` reads at most 256 KB of text (or the schema and first rows of a Parquet file) and decides
the format, the encoding, the delimiter, whether there is a header, and the columns.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from . import parquet
from .cells import plain
from .encoding import Encoding, decode, detect
from .errors import (
    BrokenFile,
    EmptyLog,
    NoLines,
    NoSuchFile,
    NotAFile,
    NotAnOrderLog,
    NotPermitted,
    TooFewColumns,
    UnknownEncoding,
    Workbook,
)
from .header import is_header
from .marking import gettext_noop
from .splitting import split_spaces

LOOKED_AT = 256 * 1024
SAMPLE_ROWS = 1000
VALUES_SHOWN = 5
DELIMITERS = (",", "\t", ";", "|")
SPACES = " "

_BINARY = (
    (b"PK\x03\x04", gettext_noop("an Excel workbook or a ZIP archive")),
    (b"PK\x05\x06", gettext_noop("an empty ZIP archive")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", gettext_noop("an old Excel workbook")),
    (b"\x89PNG", gettext_noop("a PNG picture")),
    (b"\xff\xd8\xff", gettext_noop("a JPEG picture")),
    (b"GIF8", gettext_noop("a GIF picture")),
    (b"%PDF", gettext_noop("a PDF document")),
    (b"SQLite format 3", gettext_noop("an SQLite database")),
    (b"7z\xbc\xaf\x27\x1c", gettext_noop("a 7-Zip archive")),
    (b"Rar!", gettext_noop("a RAR archive")),
    (b"\x1f\x8b", gettext_noop("a gzip file inside a gzip file")),
    (b"\x28\xb5\x2f\xfd", gettext_noop("a Zstandard file")),
    (b"BZh", gettext_noop("a bzip2 file")),
    (b"\xfd7zXZ", gettext_noop("an xz file")),
    (b"PAR1", gettext_noop("a Parquet file inside a gzip file")),
    (b"\x7fELF", gettext_noop("a program")),
)
BINARY = gettext_noop("a binary file")
UTF_16_OR_BINARY = gettext_noop("UTF-16 without its mark, or a binary file")
_MARKUP = (("{", "JSON"), ("[{", "JSON"), ("<", "HTML or XML"))


@dataclass(frozen=True, slots=True)
class Column:
    index: int
    name: str
    values: tuple[str, ...]

    @property
    def number(self) -> int:
        return self.index + 1


@dataclass(frozen=True, slots=True)
class LogLook:
    """What a file looks like. `total` counts bytes on disk, or rows for Parquet."""

    path: Path
    format: str
    gzipped: bool
    encoding: str
    delimiter: str
    newline: str
    has_header: bool
    header_line: int
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    total_bytes: int
    settled: bool
    bom: int
    label: str = ""

    @property
    def name(self) -> str:
        """What the file is called: by `label` where it does not lie under its own name."""
        return self.label or self.path.name


def look(
    path: str | Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
    least_columns: int = 3,
) -> LogLook:
    """What is in this file? The first three options overrule what would be detected."""
    path = Path(path)
    size = _size(path)
    try:
        start, gzipped = _start(path)
    except PermissionError:
        raise NotPermitted(file=path.name) from None
    except (EOFError, OSError, zlib.error) as problem:
        raise BrokenFile(file=path.name, kind=_words(problem)) from None
    if not start:
        raise EmptyLog(file=path.name)
    if start.startswith(b"PAR1") and not gzipped:
        return _parquet(path, size, least_columns)
    _refuse_binary(path, start)
    found = _encoding(start, encoding)
    text = _sample(start, found)
    _refuse_markup(path, text)
    looked = _table(path, text, delimiter, has_header, least_columns)
    return replace(
        looked,
        gzipped=gzipped,
        encoding=found.name,
        total=size,
        total_bytes=size,
        settled=found.settled,
        bom=found.bom,
    )


def open_bytes(path: Path, raw: IO[bytes], gzipped: bool) -> IO[bytes]:
    return gzip.GzipFile(filename=path.name, mode="rb", fileobj=raw) if gzipped else raw  # type: ignore[return-value]


def _size(path: Path) -> int:
    try:
        if path.is_file():
            return path.stat().st_size
        exists = path.exists()
    except PermissionError:
        raise NotPermitted(file=path.name) from None
    except (OSError, ValueError):
        exists = False
    if exists:
        raise NotAFile(file=path.name)
    raise NoSuchFile(file=path.name)


def _start(path: Path) -> tuple[bytes, bool]:
    with path.open("rb") as raw:
        gzipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        return open_bytes(path, raw, gzipped).read(LOOKED_AT), gzipped


def _words(problem: Exception) -> str:
    return "gzip" if isinstance(problem, (EOFError, gzip.BadGzipFile, zlib.error)) else "disk"


def _refuse_binary(path: Path, start: bytes) -> None:
    for magic, kind in _BINARY:
        if start.startswith(magic):
            refusal = Workbook if "Excel" in kind else NotAnOrderLog
            raise refusal(file=path.name, kind=kind)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    if start[1:200:2].count(0) > 60 or start[:200:2].count(0) > 60:
        raise NotAnOrderLog(file=path.name, kind=UTF_16_OR_BINARY)
    odd = len(start.translate(None, delete=bytes(range(32, 256)) + b"\t\r\n\f\v\x00"))
    if (odd + start.count(0) / 10) > len(start) * 0.02:
        raise NotAnOrderLog(file=path.name, kind=BINARY)


def _refuse_markup(path: Path, text: str) -> None:
    for mark, kind in _MARKUP:
        if text.lstrip().startswith(mark):
            raise NotAnOrderLog(file=path.name, kind=kind)


def _encoding(start: bytes, asked: str | None) -> Encoding:
    if asked is None:
        return detect(start)
    try:
        name = codecs.lookup(asked).name
        "a".encode(name)
    except (LookupError, TypeError):
        raise UnknownEncoding(encoding=asked) from None
    found = detect(start)
    if name == "utf-16":
        name = found.name if found.name.startswith("utf-16") else "utf-16-le"
    name = "utf-8" if name == "utf-8-sig" else name
    bom = found.bom if found.bom and name.startswith(found.name[:5]) else 0
    return Encoding(name, bom, settled=True)


def _sample(start: bytes, found: Encoding) -> str:
    """The whole lines among the first bytes."""
    text, _ = decode(start[found.bom :], found.name)
    if len(start) < LOOKED_AT:
        return text
    end = max(text.rfind("\n"), text.rfind("\r"))
    return text[: end + 1] or text


def _table(
    path: Path, text: str, delimiter: str | None, has_header: bool | None, least_columns: int
) -> LogLook:
    newline = "\r" if "\r" in text and "\n" not in text else "\n"
    lines = text.replace("\r\n", "\n").replace("\r", newline and "\n").split("\n")
    if not any(line.strip() for line in lines):
        raise EmptyLog(file=path.name)
    delimiter = delimiter or _delimiter(lines)
    records = _records(lines, delimiter)
    width = _usual_width(records)
    if width < least_columns:
        raise TooFewColumns(file=path.name, count=width)
    first = next((at for at, (_, row) in enumerate(records[:40]) if len(row) > width / 2), 0)
    header_line, names = records[first]
    rows = [row for _, row in records[first + 1 :] if any(cell.strip() for cell in row)]
    has_header = is_header(names, rows) if has_header is None else has_header
    if not has_header:
        rows.insert(0, names)
        names = []
    if not rows:
        raise NoLines(file=path.name)
    width = max(width, len(names))
    return LogLook(
        path=path, format="text", gzipped=False, encoding="", delimiter=delimiter,
        newline=newline, has_header=has_header, header_line=header_line,
        columns=_columns(names, rows, width), rows=tuple(map(tuple, rows)),
        total=0, total_bytes=0, settled=True, bom=0,
    )  # fmt: skip


def _delimiter(lines: list[str]) -> str:
    """The sign that cuts most lines into the same, largest number of cells."""
    best, best_score = "", 0.0
    for sign in DELIMITERS:
        share, width = _regularity(lines, sign)
        if width > 1 and share >= 0.6 and share * width > best_score:
            best, best_score = sign, share * width
    if not best:
        share, width = _regularity(lines, SPACES)
        best = SPACES if width > 1 and share >= 0.6 else ","
    return best


def _regularity(lines: list[str], delimiter: str) -> tuple[float, int]:
    widths = [len(row) for _, row in _records(lines[:300], delimiter) if row]
    width, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
    return (count / len(widths) if widths else 0.0), width


def _records(lines: list[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """The first records with the lines they start on. A broken one is left to the reader."""
    if delimiter == SPACES:
        split = [(at, split_spaces(line)) for at, line in enumerate(lines[:SAMPLE_ROWS], 1)]
        return [(at, row) for at, row in split if row]
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, skipinitialspace=True)
    found: list[tuple[int, list[str]]] = []
    start = 1
    while len(found) < SAMPLE_ROWS:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            row = []
        if any(cell.strip() for cell in row):
            found.append((start, row))
        start = reader.line_num + 1
    return found


def _usual_width(records: list[tuple[int, list[str]]]) -> int:
    return Counter(len(row) for _, row in records).most_common(1)[0][0] if records else 0


def _columns(names: list[str], rows: list[list[str]], width: int) -> tuple[Column, ...]:
    found = []
    for index in range(width):
        name = plain(names[index]) if index < len(names) else ""
        values = (row[index].strip() for row in rows if index < len(row))
        shown = tuple(value for value in values if value)[:VALUES_SHOWN]
        found.append(Column(index, name or f"column {index + 1}", shown))
    return tuple(found)


def _parquet(path: Path, size: int, least_columns: int) -> LogLook:
    found = parquet.peek(path, SAMPLE_ROWS)
    if not found.rows:
        raise NoLines(file=path.name)
    if len(found.names) < least_columns:
        raise TooFewColumns(file=path.name, count=len(found.names))
    return LogLook(
        path=path, format="parquet", gzipped=False, encoding="utf-8", delimiter="",
        newline="", has_header=True, header_line=0,
        columns=_columns(found.names, found.rows, len(found.names)),
        rows=tuple(map(tuple, found.rows)), total=found.total, total_bytes=size,
        settled=True, bom=0,
    )  # fmt: skip
