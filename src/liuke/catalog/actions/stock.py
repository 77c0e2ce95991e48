"""Set stock aside, hand it out once, put it back.

A hold is taken or put back as a whole. Card keys are picked past those that others are picking (SKIP LOCKED). When
that finds too few, but with what the others are picking there would be enough, those found are let go, and the others,
who may still let go of theirs, are waited for: key by key in the order of ids, and parts in the order of theirs. So
whoever waits has only what comes before it in that order, or all there was to have of an earlier part, and nobody waits
in a ring.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any, NoReturn

from django.db import connection, transaction
from django.db.models import F

from liuke.base import clock
from liuke.base.prepared import Prepared, rows, run
from liuke.catalog.actions.wishes import tell_back
from liuke.catalog.errors import (
    BadQuantity,
    HoldInUse,
    OutOfStock,
    StockTaken,
    UnknownHold,
    UnknownVariant,
)
from liuke.catalog.models import BundlePart, Hold, HoldLine, Variant
from liuke.catalog.queries.stock import stock_of

EXPIRE_AT_ONCE = 500
_VARIANT = Prepared(lambda variant_id: Variant.objects.filter(pk=variant_id), int)
QUANTITY_MAX = 10_000
Wants = Sequence[tuple[int, int]]

_PICK = """
WITH picked AS MATERIALIZED (
    SELECT id FROM catalog_card_key WHERE variant_id = %(part)s AND state = 'free'
    ORDER BY id LIMIT %(quantity)s FOR NO KEY UPDATE {skip}
), numbered AS (
    SELECT id, row_number() OVER (ORDER BY id) AS number FROM picked
)
UPDATE catalog_card_key k SET state = 'held', line_id = line.id, seq = numbered.number - line.before
FROM numbered JOIN unnest(%(lines)s::bigint[], %(befores)s::int[], %(untils)s::int[]) AS line (id, before, until)
    ON numbered.number > line.before AND numbered.number <= line.until
WHERE k.id = numbered.id
"""
_SKIPPING, _WAITING = _PICK.format(skip="SKIP LOCKED"), _PICK.format(skip="")
_OPEN = """
WITH opened AS (
    INSERT INTO catalog_hold (token, until, held_at) VALUES (%(token)s, %(until)s, %(at)s)
    ON CONFLICT (token) DO NOTHING RETURNING id
)
INSERT INTO catalog_hold_line (hold_id, variant_id, part_id, quantity)
SELECT opened.id, line.* FROM opened, unnest(%(variants)s::bigint[], %(parts)s::bigint[], %(quantities)s::int[]) AS line
RETURNING variant_id, part_id, id
"""
# Keys are locked in the order of their ids, as `_PICK` does, before they are written. A hold without keys is one row.
_TAKE = """
WITH held AS (
    UPDATE catalog_hold SET taken_at = %(at)s WHERE token = %(token)s AND taken_at IS NULL RETURNING id
), mine AS MATERIALIZED (
    SELECT k.id FROM held JOIN catalog_hold_line l ON l.hold_id = held.id JOIN catalog_card_key k ON k.line_id = l.id
    WHERE k.state = 'held' ORDER BY k.variant_id, k.id FOR NO KEY UPDATE OF k
), done AS (
    UPDATE catalog_card_key k SET state = 'delivered', delivered_at = %(at)s FROM mine WHERE k.id = mine.id
    RETURNING k.id, k.variant_id, k.line_id, k.seq
)
SELECT done.id, l.variant_id, done.variant_id
FROM held LEFT JOIN (done JOIN catalog_hold_line l ON l.id = done.line_id) ON true
ORDER BY l.variant_id, l.id, done.seq
"""
_TAKEN = """
SELECT k.id, l.variant_id, k.variant_id
FROM catalog_hold h JOIN catalog_hold_line l ON l.hold_id = h.id LEFT JOIN catalog_card_key k ON k.line_id = l.id
WHERE h.token = %s ORDER BY l.variant_id, l.id, k.seq
"""
_FREE = """
WITH mine AS MATERIALIZED (
    SELECT id FROM catalog_card_key WHERE line_id = ANY(%s) AND state = 'held'
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE catalog_card_key k SET state = 'free', line_id = NULL, seq = NULL FROM mine WHERE k.id = mine.id
"""
_DUE = """
SELECT id FROM catalog_hold WHERE taken_at IS NULL AND until <= %s
ORDER BY until, id LIMIT %s FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True)
class TakenKey:
    """A card key that was handed out: for which wanted variant, and its number there from 1.

    `part_id` is the variant it is a key of: another than `variant_id` when that is a bundle.
    """

    key_id: int
    variant_id: int
    part_id: int
    seq: int


@transaction.atomic(savepoint=False)
def hold_stock(*, token: str, wants: Wants, until: dt.datetime) -> None:
    """Set aside (variant id, quantity) of each under a token. Refused, the transaction cannot go on.

    Raises:
        BadQuantity: less than one, or absurdly many.
        HoldInUse: something is set aside, or was handed out, under this token.
        OutOfStock: there is not that much; `variant_id` says of what.
        UnknownVariant: there is no such variant.
    """
    lines = _lines(wants)
    _open(token, until, lines)
    for _, of_part in groupby(lines, key=lambda line: line.part_id):
        _pick(list(of_part))


@transaction.atomic
def extend_hold(*, token: str, until: dt.datetime) -> None:
    """Keep it aside until another moment.

    Raises:
        StockTaken: it was handed out.
        UnknownHold: nothing is set aside under this token.
    """
    hold = _held(token)
    hold.until = until
    hold.save(update_fields=["until"])


@transaction.atomic
def release_hold(*, token: str) -> None:
    """Put back what is set aside; nothing to do when it was put back before.

    Raises:
        StockTaken: it was handed out.
    """
    try:
        hold = _held(token, is_for_good=True)
    except UnknownHold:
        return
    _put_back([hold.pk])


def take_stock(*, token: str) -> list[TakenKey]:
    """Hand out what is set aside: its card keys, by wanted variant and number. Again, it gives the same keys.

    A hold that has run out but was not put back yet is still good.

    Raises:
        UnknownHold: nothing is set aside under this token.
    """
    found = rows(_TAKE, {"token": token, "at": clock.now()}) or rows(_TAKEN, [token])
    if not found:
        raise UnknownHold
    taken: list[TakenKey] = []
    numbers: Counter[int] = Counter()
    for key_id, variant_id, part_id in found:
        if key_id is not None:
            numbers[variant_id] += 1
            taken.append(TakenKey(key_id, variant_id, part_id, numbers[variant_id]))
    return taken


@transaction.atomic
def expire_holds(*, limit: int = EXPIRE_AT_ONCE) -> int:
    """Put back what was set aside for too long, at most `limit` holds; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [clock.now(), limit])
        holds = [hold_id for (hold_id,) in cursor.fetchall()]
    if holds:
        _put_back(holds)
    return len(holds)


def _lines(wants: Wants) -> list[HoldLine]:
    """What to take of what, in the order of the parts' ids."""
    wanted: Counter[int] = Counter()
    for variant_id, quantity in wants:
        if not 1 <= quantity <= QUANTITY_MAX:
            raise BadQuantity
        wanted[variant_id] += quantity
    if not wanted:
        raise BadQuantity
    variants = {each.pk: each for variant_id in wanted for each in _VARIANT(variant_id)}
    if len(variants) != len(wanted):
        raise UnknownVariant
    bundles = [v.pk for v in variants.values() if v.stock_kind == "bundle"]
    lines = [
        HoldLine(variant=variants[variant_id], part=variants[variant_id], quantity=quantity)
        for variant_id, quantity in wanted.items()
        if variant_id not in bundles
    ]
    parts = BundlePart.objects.filter(bundle_id__in=bundles).select_related("part")
    for each in parts if bundles else ():
        quantity = each.quantity * wanted[each.bundle_id]
        lines.append(HoldLine(variant=variants[each.bundle_id], part=each.part, quantity=quantity))
    return sorted(lines, key=lambda line: (line.part_id, line.variant_id))


def _refuse(line: HoldLine) -> NoReturn:
    short = OutOfStock(name=line.variant.name)
    short.variant_id = line.variant_id
    raise short


def _open(token: str, until: dt.datetime, lines: list[HoldLine]) -> None:
    """Write the hold and its lines down, and give the lines their numbers."""
    given: dict[str, Any] = {
        "token": token,
        "until": until,
        "at": clock.now(),
        "variants": [line.variant_id for line in lines],
        "parts": [line.part_id for line in lines],
        "quantities": [line.quantity for line in lines],
    }
    numbers = {(variant, part): line_id for variant, part, line_id in rows(_OPEN, given)}
    if not numbers:
        raise HoldInUse
    for line in lines:
        line.pk = numbers[line.variant_id, line.part_id]


def _pick(lines: list[HoldLine]) -> None:
    """Take what the lines of one part say, or refuse the first of them for which there is not enough."""
    kind = lines[0].part.stock_kind
    if kind == "keys":
        _pick_keys(lines)
    elif kind == "count":
        for line in lines:
            enough = Variant.objects.filter(pk=line.part_id, stock_count__gte=line.quantity)
            if not enough.update(stock_count=F("stock_count") - line.quantity):
                _refuse(line)


class _TooFew(Exception):
    """Others have some of the keys; those that were found are let go."""


def _pick_keys(lines: list[HoldLine]) -> None:
    ends = list(accumulate(line.quantity for line in lines))
    wanted = ends[-1]
    given: dict[str, Any] = {
        "part": lines[0].part_id,
        "quantity": wanted,
        "lines": [line.pk for line in lines],
        "befores": [0, *ends[:-1]],
        "untils": ends,
    }
    try:
        # A single key is all or nothing: there is nothing to let go of.
        with transaction.atomic() if wanted > 1 else nullcontext():
            if run(_SKIPPING, given) == wanted:
                return
            raise _TooFew
    except _TooFew:
        left = stock_of([lines[0].part_id], at_most=wanted)[lines[0].part_id]
        got = run(_WAITING, given) if left == wanted else left or 0
    for line, end in zip(lines, ends, strict=True):
        if got < end:
            _refuse(line)


def _held(token: str, *, is_for_good: bool = False) -> Hold:
    """The hold, locked; it must not have been handed out."""
    hold = Hold.objects.select_for_update(no_key=not is_for_good).filter(token=token).first()
    if hold is None:
        raise UnknownHold
    if hold.taken_at is not None:
        raise StockTaken
    return hold


def _put_back(holds: list[int]) -> None:
    """Free the keys, add the counts, and forget the holds, which the caller has locked."""
    lines: dict[int, list[HoldLine]] = {}
    for line in HoldLine.objects.filter(hold_id__in=holds).select_related("part"):
        lines.setdefault(line.part_id, []).append(line)
    with connection.cursor() as cursor:
        for part_id in sorted(lines):
            kind = lines[part_id][0].part.stock_kind
            if kind == "keys":
                cursor.execute(_FREE, [[line.pk for line in lines[part_id]]])
            elif kind == "count":
                quantity = sum(line.quantity for line in lines[part_id])
                counted = Variant.objects.filter(pk=part_id)
                counted.update(stock_count=F("stock_count") + quantity)
        cursor.execute("DELETE FROM catalog_hold_line WHERE hold_id = ANY(%s)", [holds])
        cursor.execute("DELETE FROM catalog_hold WHERE id = ANY(%s)", [holds])
    tell_back(lines)
