"""What is told of behaviour: the seven things that are noted, and what may stand in a note. Pure."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import NamedTuple

# Each kind, and the column of `BehaviourDay` that counts it.
COUNTED_AS = {
    "view": "views",
    "search": "searches",
    "login": "logins",
    "add": "adds",
    "buy": "buys",
    "click": "clicks",
    "open": "opens",
}
KINDS = tuple(COUNTED_AS)
OF_PERSONS = ("login", "buy", "open")  # nobody unknown does these
TEXT_LETTERS = 60
BATCH_LETTERS = 40
REFERENCE_LETTERS = 16

HIDDEN = "***"
# Seven digits in a row, however they are spaced, may be a number of somebody; long groups may be a card key.
_NUMBER = re.compile(r"\d(?:[ \-.]?\d){6,}")
_KEY = re.compile(
    r"(?=[A-Za-z-]*\d)(?:[0-9A-Za-z]{4,}(?:-[0-9A-Za-z]{4,})+|[0-9A-Za-z]{12,})", re.ASCII
)
_ADDRESS = re.compile(r"\S*@\S*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class Did(NamedTuple):
    """One thing that somebody did at a moment: a person, or a visitor whom nobody knows, never both.

    `batch` and `position` name it: told again, it is kept once. `product` and `variant` are references; `text` is what
    was searched for, the place that was clicked or the message that was opened; `came_from` is how the visit began.
    """

    batch: str
    position: int
    at: dt.datetime
    kind: str
    person_id: int | None = None
    visitor: str = ""
    product: str = ""
    variant: str = ""
    text: str = ""
    came_from: str = ""


def plain_text(text: str) -> str:
    """What was typed, short and on one line, with nothing in it that looks like a number, an address or a key."""
    shown = _CONTROL.sub(" ", unicodedata.normalize("NFKC", text[: 4 * TEXT_LETTERS]))
    for found in (_ADDRESS, _KEY, _NUMBER):
        shown = found.sub(HIDDEN, shown)
    return " ".join(shown.split())[:TEXT_LETTERS]
