"""What name does the outside world see? Never a row number: a random reference that survives being read aloud.

The alphabet has 29 letters (a prime) without 0 O 1 I L S Z, so a check letter modulo 29 finds every single wrong
letter and nearly every swap of two neighbours (docs/decisions/0004).
"""

from __future__ import annotations

import datetime as dt
import re

from liuke.base import chance

ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXY"
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
ORDER_LETTERS = 8  # 29^8 = 5.0e11 a day
_ORDER_NUMBER = re.compile(rf"LK([0-9]{{8}})([{ALPHABET}]{{{ORDER_LETTERS}}})([{ALPHABET}])")
MEMBER_LETTERS = 11  # 29^11 = 1.2e16: a million members collide once in 24,000 sites


def check_letter(body: str) -> str:
    """The check letter of a body: sum of (position + 2) x value, modulo 29."""
    return ALPHABET[sum((i + 2) * _VALUE[c] for i, c in enumerate(body)) % len(ALPHABET)]


def new_reference(letters: int = MEMBER_LETTERS) -> str:
    """A random reference of `letters` letters and one check letter."""
    body = _random_letters(letters)
    return body + check_letter(body)


def _random_letters(letters: int) -> str:
    value = chance.source().randrange(len(ALPHABET) ** letters)
    body = ""
    for _ in range(letters):
        value, digit = divmod(value, len(ALPHABET))
        body += ALPHABET[digit]
    return body


def read_reference(text: str) -> str | None:
    """The reference a person typed (case, spaces and dashes forgiven), or None when it cannot be one."""
    letters = "".join(text.split()).replace("-", "").upper()
    if len(letters) < 2 or any(c not in _VALUE for c in letters):
        return None
    return letters if check_letter(letters[:-1]) == letters[-1] else None


def new_order_number(on: dt.date) -> str:
    """`LK`, the day, eight random letters and a check letter over both: `LK202611218F3K2Q9AX`."""
    day, body = f"{on:%Y%m%d}", _random_letters(ORDER_LETTERS)
    return f"LK{day}{body}{_order_check(day, body)}"


def read_order_number(text: str) -> str | None:
    """The order number a person typed (case, spaces and dashes forgiven), or None when it cannot be one."""
    found = _ORDER_NUMBER.fullmatch("".join(text.split()).replace("-", "").upper())
    if found is None or _order_check(found[1], found[2]) != found[3]:
        return None
    return found[0]


def dashed_order_number(number: str) -> str:
    """An order number as people read it: `LK-20261121-8F3K2Q9A-X`."""
    return f"{number[:2]}-{number[2:10]}-{number[10:-1]}-{number[-1]}"


def _order_check(day: str, body: str) -> str:
    """Digits of the day count as one number: every wrong one and every swap of two neighbours changes the letter."""
    letters = sum((i + 2) * _VALUE[letter] for i, letter in enumerate(body))
    return ALPHABET[(int(day) + letters) % len(ALPHABET)]
