"""Which card keys are in a file? One a line; in a CSV the cells of a line are one key, number and password."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass

from liuke.catalog.errors import NoKeys, TooManyKeys, UnreadableKeys
from liuke.catalog.rules import (
    KEY_FILE_BYTES_MAX,
    KEY_LETTERS_MAX,
    KEY_LETTERS_MIN,
    KEYS_MAX,
    normal_key,
)

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_HEADINGS = {
    "卡号", "卡密", "卡密码", "密码", "激活码", "兑换码", "序列号", "编号", "card", "card number", "number",
    "no", "key", "code", "password", "pin", "serial", "secret",
}  # fmt: skip


@dataclass(frozen=True)
class KeyLine:
    """A key and the number of its line. The repr shows no key."""

    number: int
    text: str

    def __repr__(self) -> str:
        return f"KeyLine({self.number})"


def read_keys(content: bytes | str, name: str = "") -> list[KeyLine]:
    """The keys of a file, blank lines left out; `name` tells a CSV by its ending.

    Raises:
        NoKeys: nothing is in it.
        TooManyKeys: more than one import takes.
        UnreadableKeys: neither UTF-8 nor GB18030 (nor UTF-16 with its mark).
    """
    if len(content) > KEY_FILE_BYTES_MAX:
        raise TooManyKeys(most=KEYS_MAX)
    text = content.removeprefix("\ufeff") if isinstance(content, str) else _decode(content)
    lines = _cells(text) if name.lower().endswith(".csv") else enumerate(text.splitlines(), start=1)
    found = [KeyLine(number, key) for number, line in lines if (key := " ".join(line.split()))]
    if not found:
        raise NoKeys
    if len(found) > KEYS_MAX:
        raise TooManyKeys(most=KEYS_MAX)
    return found


def what_is_wrong(text: str) -> str:
    """Why a line can be no card key: too_short, too_long, unprintable; "" when it can."""
    if not text.isprintable():
        return "unprintable"
    if len(text) > KEY_LETTERS_MAX:
        return "too_long"
    return "too_short" if len(normal_key(text)) < KEY_LETTERS_MIN else ""


def _decode(content: bytes) -> str:
    encodings = [encoding for mark, encoding in _MARKS.items() if content.startswith(mark)]
    for encoding in encodings or ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableKeys


def _cells(text: str) -> Iterator[tuple[int, str]]:
    reader = csv.reader(text.splitlines())
    is_first = True
    try:
        for row in reader:
            cells = [cell.strip() for cell in row if cell.strip()]
            is_heading = is_first and bool(cells) and {c.lower() for c in cells} <= _HEADINGS
            if cells and not is_heading:
                yield reader.line_num, " ".join(cells)
            is_first = is_first and not cells
    except csv.Error as broken:
        raise UnreadableKeys from broken
