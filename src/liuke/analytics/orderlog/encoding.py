"""In which encoding is this text?

Decided from the first bytes; where those are plain ASCII the answer stays open, and the reader
asks again at the first bytes that are not.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

# What a wrong byte becomes; no valid text contains these.
WRONG = re.compile("[\ud800-\udfff]")


class Encoding(NamedTuple):
    name: str
    bom: int
    settled: bool


def detect(start: bytes) -> Encoding:
    if start.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8", 3, settled=True)
    if start.startswith(codecs.BOM_UTF16_LE):
        return Encoding("utf-16-le", 2, settled=True)
    if start.startswith(codecs.BOM_UTF16_BE):
        return Encoding("utf-16-be", 2, settled=True)
    name = settle(start)
    return Encoding(name or "utf-8", 0, settled=name is not None)


def settle(some: bytes) -> str | None:
    """UTF-8 or GB18030, by which one reads more of the lines that are not ASCII."""
    lines = [line for line in some.split(b"\n") if not line.isascii()]
    if some[-1:] != b"\n" and len(lines) > 1 and not some.rsplit(b"\n", 1)[-1].isascii():
        lines.pop()  # perhaps cut in the middle of a character
    if not lines:
        return None
    if sum(_reads(line, "utf-8") for line in lines) * 2 >= len(lines):
        return "utf-8"
    chinese = sum(_reads(line, "gb18030") and _common(line) for line in lines)
    return "gb18030" if chinese * 2 > len(lines) else None


def _reads(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _common(line: bytes) -> bool:
    """Mostly everyday Chinese: bytes of another encoding rarely come out so."""
    text = [sign for sign in line.decode("gb18030") if not sign.isascii()]
    everyday = sum(_everyday(sign) for sign in text)
    return everyday * 2 > len(text)


def _everyday(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def decode(some: bytes, name: str) -> tuple[str, bool]:
    """The text, and whether it holds wrong bytes (each of which becomes a lone surrogate)."""
    try:
        return some.decode(name), False
    except UnicodeDecodeError:
        pass
    if not name.startswith("utf-16"):
        return some.decode(name, "surrogateescape"), True
    odd = len(some) % 2
    whole = some[: len(some) - odd]
    return whole.decode(name, "surrogatepass") + "\udcff" * odd, True
