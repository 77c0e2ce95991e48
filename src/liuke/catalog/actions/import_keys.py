"""Take in card keys, all of them or none, each sealed in its own row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import IntegrityError, connection, transaction
from psycopg.errors import UniqueViolation

from liuke.base import clock, ids, sealing
from liuke.catalog import card_seal
from liuke.catalog.actions.wishes import tell_back
from liuke.catalog.errors import KeysRefused, NoKeyStock
from liuke.catalog.events import KeysImported
from liuke.catalog.key_file import KeyLine, read_keys, what_is_wrong
from liuke.catalog.models import CardKey, KeyBatch, Variant
from liuke.catalog.rules import REFERENCE_LETTERS, last_four
from liuke.events.actions import publish
from liuke.people.actions import record_act
from liuke.people.models import Login

NAME_LETTERS = 120
_COPY = """
COPY catalog_card_key (id, merchant_id, variant_id, batch_id, sealed, merchant_index, platform_index, last_four,
                       state, why_ended) FROM STDIN (FORMAT BINARY)
"""
_TYPES = (
    "int8",
    "int8",
    "int8",
    "int8",
    "bytea",
    "bytea",
    "bytea",
    "varchar",
    "varchar",
    "varchar",
)
_IDS = """
SELECT nextval(pg_get_serial_sequence('catalog_card_key', 'id')) FROM generate_series(1, %s)
"""


@dataclass(frozen=True)
class Imported:
    """What came of it. `sold_elsewhere` of the keys are at another merchant too."""

    batch: KeyBatch
    keys: int
    sold_elsewhere: int


@dataclass(frozen=True)
class _Indexed:
    """A key of the file with what finds it again. The repr shows no key."""

    line: KeyLine
    own: bytes
    platform: bytes


def import_keys(
    *, variant: Variant, content: bytes | str, by: Login | None, name: str = ""
) -> Imported:
    """Take in a file of card keys, one a line; `name` is the file's, and tells a CSV. Publishes `KeysImported`.

    Raises:
        KeysRefused: some lines are no good or known already; its `lines` say which.
        NoKeys, TooManyKeys, UnreadableKeys: the file as a whole is no good.
        NoKeyStock: the variant holds no card keys.
    """
    if variant.stock_kind != "keys":
        raise NoKeyStock
    merchant_id = variant.product.merchant_id
    lines = read_keys(content, name)
    bad = [(line.number, why, 0) for line in lines if (why := what_is_wrong(line.text))]
    found = [
        _Indexed(
            line,
            card_seal.merchant_index(line.text, merchant_id),
            card_seal.platform_index(line.text),
        )
        for line in lines
        if not what_is_wrong(line.text)
    ]
    _refuse([*bad, *_twice(found), *_known(found, merchant_id)])
    try:
        return _import(variant, found, name, by)
    except IntegrityError as refused:
        if not isinstance(refused.__cause__, UniqueViolation):
            raise
        _refuse(_known(found, merchant_id))  # another import brought them a moment ago
        raise


@transaction.atomic
def _import(variant: Variant, found: Sequence[_Indexed], name: str, by: Login | None) -> Imported:
    data_key = sealing.new_data_key()
    wrapped, number = sealing.wrap_data_key(data_key)
    batch = KeyBatch.objects.create(
        reference=ids.new_reference(REFERENCE_LETTERS),
        merchant_id=variant.product.merchant_id,
        variant=variant,
        wrapped_key=wrapped,
        master_version=number,
        name=name[:NAME_LETTERS],
        key_count=len(found),
        imported_at=clock.now(),
        by=by,
    )
    elsewhere = _sold_elsewhere(found, batch.merchant_id)
    _store(batch, found, AESGCM(data_key))
    publish(KeysImported(batch.pk, variant.pk, len(found)))
    record_act(
        by=by,
        verb="keys.import",
        about=variant.product.reference,
        variant=variant.name,
        keys=len(found),
        batch=batch.reference,
    )
    tell_back([variant.pk])
    return Imported(batch, len(found), elsewhere)


def _store(batch: KeyBatch, found: Sequence[_Indexed], box: AESGCM) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_IDS, [len(found)])
        key_ids = [key_id for (key_id,) in cursor.fetchall()]
        with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for key_id, key in zip(key_ids, found, strict=True):
                text = key.line.text
                place = card_seal.place_of(batch.merchant_id, batch.variant_id, key_id, batch.pk)
                sealed = card_seal.seal_key(box, text, place)
                row = (key_id, batch.merchant_id, batch.variant_id, batch.pk, sealed)
                copy.write_row((*row, key.own, key.platform, last_four(text), "free", ""))


def _twice(found: Sequence[_Indexed]) -> list[tuple[int, str, int]]:
    first: dict[bytes, int] = {}
    return [
        (key.line.number, "twice", before)
        for key in found
        if (before := first.setdefault(key.own, key.line.number)) != key.line.number
    ]


def _known(found: Sequence[_Indexed], merchant_id: int) -> list[tuple[int, str, int]]:
    """Keys the merchant has already; one that was taken back before it was ever delivered may come again."""
    same = CardKey.objects.filter(
        merchant=merchant_id, merchant_index__in=[key.own for key in found]
    ).exclude(state="revoked", delivered_at=None)
    known = {bytes(index) for index in same.values_list("merchant_index", flat=True)}
    return [(key.line.number, "known", 0) for key in found if key.own in known]


def _sold_elsewhere(found: Sequence[_Indexed], merchant_id: int) -> int:
    same = CardKey.objects.filter(platform_index__in=[key.platform for key in found])
    return same.exclude(merchant=merchant_id).values("platform_index").distinct().count()


def _refuse(problems: list[tuple[int, str, int]]) -> None:
    """Name each bad line once, with the first thing that is wrong with it."""
    lines = {number: (number, why, other) for number, why, other in reversed(problems)}
    if lines:
        refused = KeysRefused(count=len(lines))
        refused.lines = tuple(sorted(lines.values())[: KeysRefused.LINES_SHOWN])
        raise refused
