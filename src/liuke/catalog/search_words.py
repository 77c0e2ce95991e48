"""How is a Chinese title found by two of its letters, or by the initials of its pinyin?

Titles are kept as one normal text with their initials and pinyin behind it, and as letters in ones and twos for the
index. A query is cut where the script changes, so that 原神648 finds 原神 创世结晶 648.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable

WORDS_MAX, WORD_LETTERS, READINGS_MAX = 8, 24, 24
_RUNS = re.compile(
    r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[^\W_\u3400-\u9fff\U00020000-\U0003ffff]+"
)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


def normal(text: str) -> str:
    """Half-width, small, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> list[str]:
    """The runs of one script in a text; signs and spaces separate."""
    return _RUNS.findall(normal(text))


def grams(found: Iterable[str]) -> list[str]:
    """Every letter of the words, and every two that stand together."""
    letters = {letter for word in found for letter in word}
    pairs = {word[i : i + 2] for word in found for i in range(len(word) - 1)}
    return sorted(letters | pairs)


def query_words(text: str) -> list[str]:
    """What a visitor is looking for: a few words of reasonable length."""
    return [word[:WORD_LETTERS] for word in words(text)[:WORDS_MAX]]


def query_grams(found: Iterable[str]) -> list[str]:
    """What a text must have to contain the words: pairs where there are any, else the letter itself."""
    pairs = {word[i : i + 2] for word in found for i in range(len(word) - 1)}
    return sorted(pairs | {word for word in found if len(word) == 1})


def search_text(fields: Iterable[str]) -> str:
    """What a search looks through: the words of the fields, then the initials and the pinyin of each field."""
    parts: list[str] = []
    for field in fields:
        runs = words(field)
        parts += [*runs, *_spoken(runs)]
    return " ".join(dict.fromkeys(parts))


def _spoken(runs: list[str]) -> list[str]:
    """Initials and full pinyin of the runs as one word each, other letters as they are; nothing where there is no Han.

    The usual reading of every letter, then each other reading of one of them: 重庆 is found as zq and as cq.
    """
    if not any(_HAN.match(run) for run in runs):
        return []
    units = [unit for run in runs for unit in (run if _HAN.match(run) else [run])]
    readings = [_readings(unit) if _HAN.match(unit) else [unit] for unit in units]
    usual = [reading[0] for reading in readings]
    said = [usual]
    for place, reading in enumerate(readings):
        said += [[*usual[:place], other, *usual[place + 1 :]] for other in reading[1:]]
    found = []
    for syllables in said[:READINGS_MAX]:
        initials = (s[:1] if _HAN.match(u) else s for s, u in zip(syllables, units, strict=True))
        found += ["".join(initials), "".join(syllables)]
    return found


def _readings(letter: str) -> list[str]:
    """The readings of a Han letter without tones, the usual one first.

    The dictionary is loaded late, without its phrases (14 MB instead of 57): only saving a product needs it.
    """
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin  # noqa: PLC0415

    (readings,) = pinyin(letter, style=Style.NORMAL, heteronym=True)
    return [normal(reading) for reading in readings]
