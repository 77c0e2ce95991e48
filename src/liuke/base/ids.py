"""What name does the outside world see? Never a row number: a random reference that survives being read aloud.

The alphabet has 29 letters (a prime) without 0 O 1 I L S Z, so a check letter modulo 29 finds every single wrong
letter and nearly every swap of two neighbours (docs/decisions/0004).
"""

from __future__ import annotations

from liuke.base import chance

ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXY"
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
MEMBER_LETTERS = 11  # 29^11 = 1.2e16: a million members collide once in 24,000 sites


def check_letter(body: str) -> str:
    """The check letter of a body: sum of (position + 2) x value, modulo 29."""
    return ALPHABET[sum((i + 2) * _VALUE[c] for i, c in enumerate(body)) % len(ALPHABET)]


def new_reference(letters: int = MEMBER_LETTERS) -> str:
    """A random reference of `letters` letters and one check letter."""
    value = chance.source().randrange(len(ALPHABET) ** letters)
    body = ""
    for _ in range(letters):
        value, digit = divmod(value, len(ALPHABET))
        body += ALPHABET[digit]
    return body + check_letter(body)


def read_reference(text: str) -> str | None:
    """The reference a person typed (case, spaces and dashes forgiven), or None when it cannot be one."""
    letters = "".join(text.split()).replace("-", "").upper()
    if len(letters) < 2 or any(c not in _VALUE for c in letters):
        return None
    return letters if check_letter(letters[:-1]) == letters[-1] else None
