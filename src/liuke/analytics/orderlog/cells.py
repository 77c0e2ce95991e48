"""What do a member, an order number, an item and a quantity look like once cleaned?"""

from __future__ import annotations

import re
from decimal import Decimal

from .lines import (
    ITEM_MAX,
    MEMBER_MAX,
    ORDER_MAX,
    QUANTITY_BOUND,
    UNPRINTABLE,
    Refused,
    excerpt,
)

# What programs write where there is no value; as a member they would merge every guest into one.
NOTHING = frozenset({"", "null", "none", "nan", "<na>", "n/a", "\\n", "-", "--"})

_FLOAT_ID = re.compile(r"([0-9]+)\.0+")
_SHORTENED = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]+")
_AROUND_CONTROLS = re.compile(rf" *(?:{UNPRINTABLE.pattern} *)+")
_QUANTITY = re.compile(r"[+-]?[0-9]+(?:\.0*)?")


def plain(raw: str) -> str:
    """Trimmed, without controls, and without the marks that keep spreadsheets from counting."""
    text = UNPRINTABLE.sub(" ", raw).strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        text = text[2:-1].strip()
    return text.removeprefix("`").removeprefix("'").strip()


def identity(raw: str, limit: int, too_long: str) -> str | None:
    text = plain(raw)
    if text.casefold() in NOTHING:
        return None
    if len(text) > limit:
        raise Refused(too_long, limit=limit)
    if _SHORTENED.fullmatch(text):
        raise Refused("shortened_by_spreadsheet", value=excerpt(text))
    whole = _FLOAT_ID.fullmatch(text)
    return whole[1] if whole else text


def member(raw: str) -> str:
    found = identity(raw, MEMBER_MAX, "member_too_long")
    if found is None:
        raise Refused("no_member")
    return found


def order(raw: str) -> str | None:
    return identity(raw, ORDER_MAX, "order_too_long")


def item(raw: str) -> str | None:
    """As its file names it, so that others find it there again; blanks inside are part of the name."""
    text = _AROUND_CONTROLS.sub(" ", raw).strip()
    return text[:ITEM_MAX].rstrip() or None


def quantity(raw: str) -> int:
    text = plain(raw)
    if text.casefold() in NOTHING:
        return 1
    if not _QUANTITY.fullmatch(text):
        raise Refused("not_a_quantity", value=excerpt(text))
    number = int(Decimal(text)) if len(text) < 20 else QUANTITY_BOUND + 1
    if abs(number) > QUANTITY_BOUND:
        raise Refused("quantity_too_large", value=excerpt(text))
    return number
