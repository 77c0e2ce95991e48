"""What does a text with `{variables}` say to one member? What may be missing has a fallback: `{last_item|it}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from liuke.engagement.errors import (
    BrokenBraces,
    NeedsFallback,
    TextMissing,
    TextTooLong,
    UnknownVariable,
)

REFUSE_BY_REPLY = (
    " 拒收请回复R"  # ends a marketing SMS, word for word what carriers in China ask for
)
# Providers cut a long SMS into parts of 67 letters; five parts is what one of them takes at once.
SMS_LETTERS_MAX = 5 * 67 - len(REFUSE_BY_REPLY)
SUBJECT_LETTERS_MAX = 200
WRITTEN_LETTERS_MAX = {"subject": 120, "offer": 120, "body": 2000}  # as the operator writes them
NEAR_LETTERS = 12

_PIECE = re.compile(
    r"(?P<plain>[^{}]+)|(?P<brace>\{\{|\}\})"
    r"|\{(?P<name>\s*\w+\s*)(?:\|(?P<fallback>[^{}]*))?\}"
)
Values = Mapping[str, str | None]


@dataclass(frozen=True)
class Variable:
    """Something a text may name. Longer values are cut to `letters_max`, so that a text has a greatest length."""

    name: str
    says: str | Promise
    can_be_missing: bool
    letters_max: int


VARIABLES = {
    each.name: each
    for each in (
        Variable("member", gettext_lazy("the member's name, or masked number"), False, 32),
        Variable("days", gettext_lazy("days since their last order"), False, 6),
        Variable("away", gettext_lazy("days since their last login or order"), False, 6),
        Variable("orders", gettext_lazy("how many orders they placed"), False, 6),
        Variable("last_item", gettext_lazy("what they bought last"), True, 40),
        Variable("offer", gettext_lazy("the offer of this plan"), True, 120),
        Variable("site", gettext_lazy("the name of the shop"), False, 40),
    )
}


@dataclass(frozen=True)
class Piece:
    """Plain words, or a variable with what stands for it when it is missing."""

    words: str
    variable: Variable | None = None
    fallback: str | None = None


def check(text: str, *, offer: str = "", letters_max: int | None = None) -> None:
    """Refuse a text that could not be written for every member.

    Raises:
        BrokenBraces, UnknownVariable, NeedsFallback, TextTooLong: what is wrong with it.
    """
    letters = 0
    for piece in _pieces(text):
        if piece.variable is None:
            letters += len(piece.words)
            continue
        if piece.fallback is None and _can_be_missing(piece.variable, offer):
            raise NeedsFallback(variable=piece.variable.name, known=known())
        is_offer = piece.variable.name == "offer"
        longest = len(offer) if is_offer else piece.variable.letters_max
        letters += max(longest, len(piece.fallback or ""))
    if letters_max is not None and letters > letters_max:
        raise TextTooLong(letters=letters, most=letters_max)


def check_message(*, channel: str, subject: str, body: str, offer: str) -> None:
    """Refuse a subject or body that a channel could not carry to every member.

    Raises:
        BadText: what is wrong, as one of its subclasses.
    """
    if not body.strip() or (channel == "email" and not subject.strip()):
        raise TextMissing
    for name, text in (("subject", subject), ("offer", offer), ("body", body)):
        if len(text) > WRITTEN_LETTERS_MAX[name]:
            raise TextTooLong(letters=len(text), most=WRITTEN_LETTERS_MAX[name])
    check(subject, offer=offer, letters_max=SUBJECT_LETTERS_MAX)
    check(body, offer=offer, letters_max=SMS_LETTERS_MAX if channel == "sms" else None)


def _can_be_missing(variable: Variable, offer: str) -> bool:
    return variable.can_be_missing and not (variable.name == "offer" and offer)


def named(text: str) -> set[str]:
    """The variables a checked text names."""
    return {piece.variable.name for piece in _pieces(text) if piece.variable}


def render(text: str, values: Values) -> str:
    """A checked text, written for one member."""
    return "".join(
        piece.words if piece.variable is None else _value(piece, values) for piece in _pieces(text)
    )


def _value(piece: Piece, values: Values) -> str:
    assert piece.variable is not None
    value = " ".join((values.get(piece.variable.name) or "").split())
    most = piece.variable.letters_max
    return (value if len(value) <= most else value[: most - 1] + "…") or piece.fallback or ""


@lru_cache(maxsize=256)  # a run writes one text for everyone
def _pieces(text: str) -> tuple[Piece, ...]:
    return tuple(_read(text))


def _read(text: str) -> Iterator[Piece]:
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise BrokenBraces(near=text[at : at + NEAR_LETTERS], known=known())
        at = found.end()
        if found["name"] is None:
            yield Piece(found["plain"] or found["brace"][0])
            continue
        name = found["name"].strip()
        if name not in VARIABLES:
            raise UnknownVariable(variable=name, known=known())
        yield Piece("", VARIABLES[name], found["fallback"])


def known() -> str:
    """Everything a text may name, as it is written."""
    return " ".join(f"{{{name}}}" for name in VARIABLES)
