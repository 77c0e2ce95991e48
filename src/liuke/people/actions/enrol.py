"""Make members of people named in an order log, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from django.db import connection

from liuke.base import clock, ids, sealing
from liuke.people.rules import PHONE_PURPOSE, read_phone

ENROLLED = "people_enrolled"
NAMES_AT_ONCE = 20_000

_PREPARE = f"""
DROP TABLE IF EXISTS {ENROLLED}, people_enrolling;
CREATE TEMP TABLE {ENROLLED} (name text PRIMARY KEY, member_id bigint NOT NULL) ON COMMIT DROP;
CREATE TEMP TABLE people_enrolling (
    name text, external_id text, phone_sealed bytea, phone_index text, reference text) ON COMMIT DROP;
"""
_COPY = "COPY people_enrolling (name, external_id, phone_sealed, phone_index, reference) FROM STDIN"
# Whoever has a phone number we know, from any source, is the person we know; everyone else is their own.
_INSERT = """
INSERT INTO people_member (id, person_id, reference, source, external_id, phone_sealed, phone_index, enrolled_at)
SELECT id, coalesce(
           (SELECT min(known.person_id) FROM people_member known WHERE known.phone_index = fresh.phone_index), id),
       reference, %(source)s, external_id, phone_sealed, phone_index, %(now)s
FROM (SELECT nextval(pg_get_serial_sequence('people_member', 'id')) AS id, once.*
      FROM (SELECT DISTINCT ON (external_id) * FROM people_enrolling ORDER BY external_id, name) AS once
      WHERE NOT EXISTS (SELECT 1 FROM people_member m
                        WHERE m.source = %(source)s AND m.external_id = once.external_id)) AS fresh
ON CONFLICT (source, external_id) DO NOTHING
"""
# Two logs may bring one new phone number at once: who is first becomes the person.
_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('people.enrol'))"
_REMEMBER = f"""
INSERT INTO {ENROLLED} (name, member_id)
SELECT DISTINCT e.name, m.id FROM people_enrolling e
JOIN people_member m ON m.source = %s AND m.external_id = e.external_id
ON CONFLICT (name) DO NOTHING
"""


def enrol(*, source: str, names: Iterable[str]) -> int:
    """See that everyone in `names` is a member of `source`; answer how many are new.

    A name that is a mainland phone number is sealed and known by its blind index. Who got which id is left in the
    temporary table `ENROLLED` (name, member_id), to be joined with until the next call or the transaction's end.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PREPARE)
        remaining = iter(names)
        while some := list(
            islice(remaining, NAMES_AT_ONCE)
        ):  # drawn before COPY: they may come from this connection
            with cursor.copy(_COPY) as copy:
                for name in some:
                    copy.write_row(_row(name))
        cursor.execute(_TAKE_TURNS)
        cursor.execute(_INSERT, {"source": source, "now": clock.now()})
        new: int = cursor.rowcount
        cursor.execute(_REMEMBER, [source])
    return new


def _row(name: str) -> tuple[str, str, bytes | None, str | None, str]:
    phone = read_phone(name)
    if phone is None:
        return name, name, None, None, ids.new_reference()
    index = sealing.blind_index(phone, PHONE_PURPOSE)
    return name, index, sealing.seal(phone, PHONE_PURPOSE), index, ids.new_reference()
