"""Which records follow, in a text file of any size or a Parquet file?

A file is read in stretches of a few thousand records, so that memory does not grow with it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO

from . import parquet
from .encoding import WRONG, decode, settle
from .errors import BrokenFile
from .shape import LogLook, open_bytes
from .splitting import Quoted, Stretch, split_plain

CHUNK = 256 * 1024
LINE_MAX = 1024 * 1024
TOO_LONG = "\udbff"  # stands for the end of a line that was too long to keep
_KEPT = 1000


class Stretches:
    """Iterates over the records of one file; `read` and `total` tell how far it is."""

    def __init__(self, look: LogLook, rows: int) -> None:
        self.look = look
        self.rows = rows
        self.read = 0
        self.total = look.total
        self.encoding = look.encoding
        self._settled = look.settled
        self._line = 1

    def __iter__(self) -> Iterator[Stretch]:
        return self._parquet() if self.look.format == "parquet" else self._text()

    def _parquet(self) -> Iterator[Stretch]:
        for rows in parquet.batches(self.look.path, self.rows):
            numbers = range(self.read + 1, self.read + 1 + len(rows))
            self.read += len(rows)
            yield Stretch(list(rows), numbers, [], [])

    def _text(self) -> Iterator[Stretch]:
        quoted = Quoted(self.look.delimiter, len(self.look.columns))
        rest: list[str] = []
        for some, final in self._whole_lines():
            text, wrong = self._decode(some)
            stretch = self._split(text, rest, quoted, final)
            rest = stretch.rest
            yield from self._portions(_without_wrong(stretch, self.encoding) if wrong else stretch)

    def _split(self, text: str, rest: list[str], quoted: Quoted, final: bool) -> Stretch:
        text = self._plain_ends(text)
        start = self._line
        self._line += text.count("\n") + (1 if text and text[-1] != "\n" else 0)
        if not rest and ('"' not in text or self.look.delimiter == " "):
            lines = text.split("\n")
            if not lines[-1]:
                lines.pop()
            found = split_plain(lines, start, self.look.delimiter)
            if found is not None:
                return found
        kept = [line + "\n" for line in text.split("\n")]
        if kept[-1] == "\n":
            kept.pop()
        return quoted.split(rest + kept, start - len(rest), final)

    def _plain_ends(self, text: str) -> str:
        if "\r" not in text:
            return text
        if self.look.newline == "\r":
            return text.replace("\r", "\n")
        return text.replace("\r\n", "\n").replace("\r", " ")

    def _portions(self, stretch: Stretch) -> Iterator[Stretch]:
        """At most so many records at once; broken lines go with the first."""
        if len(stretch.rows) <= self.rows:
            yield stretch
            return
        for at in range(0, len(stretch.rows), self.rows):
            end = at + self.rows
            broken = stretch.broken if at == 0 else []
            yield Stretch(stretch.rows[at:end], stretch.numbers[at:end], broken, [])

    def _decode(self, some: bytes) -> tuple[str, bool]:
        if not self._settled and not some.isascii():
            found = settle(some)
            if found is not None:
                self.encoding, self._settled = found, True
        return decode(some, self.encoding)

    def _whole_lines(self) -> Iterator[tuple[bytes, bool]]:
        """Bytes up to a line's end, and at last those after the final one."""
        try:
            with self.look.path.open("rb", buffering=0) as raw:
                stream = open_bytes(self.look.path, raw, self.look.gzipped)
                stream.read(self.look.bom)
                yield from self._cut(stream, raw)
        except EOFError:
            raise BrokenFile(file=self.look.name, kind="gzip") from None
        except (OSError, zlib.error):
            kind = "gzip" if self.look.gzipped else "disk"
            raise BrokenFile(file=self.look.name, kind=kind) from None

    def _cut(self, stream: IO[bytes], raw: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
        carried = b""
        while some := stream.read(CHUNK):
            self.read = raw.tell()
            carried += some
            end = self._last_end(carried)
            if end:
                yield carried[:end], False
                carried = carried[end:]
            elif len(carried) > LINE_MAX:
                carried = self._pass_over(carried)
        self.read = self.total
        yield carried, True

    def _last_end(self, some: bytes) -> int:
        """Where the last whole line ends."""
        sign = self.look.newline.encode(self.encoding)
        end = some.rfind(sign)
        while end % len(sign) and end > 0:
            end = some.rfind(sign, 0, end + len(sign) - 1)
        return end + len(sign) if end >= 0 else 0

    def _pass_over(self, carried: bytes) -> bytes:
        """Forget the middle of a line that is too long to be an order, and remember that it was."""
        if not self.encoding.startswith("utf-16"):
            return carried[:_KEPT] + b"\xff"
        mark = TOO_LONG.encode(self.encoding, "surrogatepass")
        return carried[:_KEPT] + mark + carried[len(carried) - len(carried) % 2 :]


def _without_wrong(stretch: Stretch, encoding: str) -> Stretch:
    """Records that hold wrong bytes become broken ones."""
    rows, numbers, broken = [], [], list(stretch.broken)
    for number, row in zip(stretch.numbers, stretch.rows, strict=True):
        text = "\t".join(row)
        if WRONG.search(text) is None:
            rows.append(row)
            numbers.append(number)
        else:
            code = "line_too_long" if len(text) >= _KEPT else "wrong_bytes"
            broken.append((number, code, text))
    return Stretch(rows, numbers, broken, stretch.rest)
