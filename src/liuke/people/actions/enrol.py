"""Make members of people named in an order log, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from django.db import connection

from liuke.base import clock, ids, sealing
from liuke.people.models import Member
from liuke.people.rules import ERASED_PREFIX, ERASED_PURPOSE, PHONE_PURPOSE, read_phone

ENROLLED = "people_enrolled"
NAMES_AT_ONCE = 20_000

_PREPARE = f"""
DROP TABLE IF EXISTS {ENROLLED}, people_enrolling;
CREATE TEMP TABLE {ENROLLED} (name text PRIMARY KEY, member_id bigint NOT NULL) ON COMMIT DROP;
CREATE TEMP TABLE people_enrolling (
    name text, external_id text, phone_sealed bytea, phone_index text, reference text, erased_id text) ON COMMIT DROP;
"""
_COPY = "COPY people_enrolling (name, external_id, phone_sealed, phone_index, reference, erased_id) FROM STDIN"
# Whoever was erased here is found again by what is left of their name, and stays without a face.
_KNOW_THE_ERASED = """
UPDATE people_enrolling e SET external_id = e.erased_id, phone_sealed = NULL, phone_index = NULL
FROM people_member m WHERE m.source = %s AND m.external_id = e.erased_id
"""
# Whoever has a phone number we know, from any source, is the person we know; everyone else is their own. Ids go out in
# the order of names, however the server joins: a select that is sorted calls nextval() after sorting.
_INSERT = """
INSERT INTO people_member (id, person_id, reference, source, external_id, phone_sealed, phone_index, enrolled_at)
SELECT id, coalesce(
           (SELECT min(known.person_id) FROM people_member known WHERE known.phone_index = fresh.phone_index), id),
       reference, %(source)s, external_id, phone_sealed, phone_index, %(now)s
FROM (SELECT nextval(pg_get_serial_sequence('people_member', 'id')) AS id, once.*
      FROM (SELECT DISTINCT ON (external_id) * FROM people_enrolling ORDER BY external_id, name) AS once
      WHERE NOT EXISTS (SELECT 1 FROM people_member m
                        WHERE m.source = %(source)s AND m.external_id = once.external_id)
      ORDER BY external_id) AS fresh
ON CONFLICT DO NOTHING
"""
# Two logs may bring one new phone number at once: who is first becomes the person. Nobody is erased meanwhile.
_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('people.enrol'))"
_REMEMBER = f"""
INSERT INTO {ENROLLED} (name, member_id)
SELECT DISTINCT e.name, m.id FROM people_enrolling e
JOIN people_member m ON m.source = %s AND m.external_id = e.external_id
ON CONFLICT (name) DO NOTHING
"""
_MISSING = f"""
SELECT EXISTS (SELECT 1 FROM people_enrolling e LEFT JOIN {ENROLLED} known USING (name) WHERE known.name IS NULL)
"""
ROUNDS_MAX = 5


def enrol(*, source: str, names: Iterable[str]) -> int:
    """See that everyone in `names` is a member of `source`; answer how many are new.

    A name that is a mainland phone number is sealed and known by its blind index. Who got which id is left in the
    temporary table `ENROLLED` (name, member_id), to be joined with until the next call or the transaction's end.
    """
    stop_enrolling()
    has_erased = Member.objects.filter(source=source, erased_at__isnull=False).exists()
    with connection.cursor() as cursor:
        cursor.execute(_PREPARE)
        remaining, copied = iter(names), 0
        while some := list(
            islice(remaining, NAMES_AT_ONCE)
        ):  # drawn before COPY: they may come from this connection
            with cursor.copy(_COPY) as copy:
                for name in some:
                    copy.write_row(_row(name, source if has_erased else None))
            copied += len(some)
        cursor.execute("ANALYZE people_enrolling (external_id, erased_id)")
        if has_erased:
            cursor.execute(_KNOW_THE_ERASED, [source])
    return _insert(source, copied)


def stop_enrolling() -> None:
    """Let no log bring members in until the caller's transaction ends; whoever is at it finishes first."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURNS)


def erased_name(source: str, external_id: str) -> str:
    """What is left of a name in a source: enough to know it again in the same log, and nothing to read."""
    return ERASED_PREFIX + sealing.blind_index(f"{source}\0{external_id}", ERASED_PURPOSE)


def _insert(source: str, names: int) -> int:
    """Again while someone is missing: a number that a sign-in made a member of meanwhile is that person's by then."""
    new = remembered = 0
    with connection.cursor() as cursor:
        for _ in range(ROUNDS_MAX):
            cursor.execute(_INSERT, {"source": source, "now": clock.now()})
            new += int(cursor.rowcount)
            cursor.execute(_REMEMBER, [source])
            remembered += int(cursor.rowcount)
            if remembered < names:  # someone is missing, or was named twice
                cursor.execute(_MISSING)
            if remembered == names or cursor.fetchone() == (False,):
                return new
    raise RuntimeError("members of an order log could not be enrolled")


Row = tuple[str, str, bytes | None, str | None, str, str | None]


def _row(name: str, source_with_erased: str | None) -> Row:
    phone, external_id, sealed, index = read_phone(name), name, None, None
    if phone is not None:
        external_id = index = sealing.blind_index(phone, PHONE_PURPOSE)
        sealed = sealing.seal(phone, PHONE_PURPOSE)
    erased = None
    if source_with_erased is not None:
        erased = erased_name(source_with_erased, external_id)
    return name, external_id, sealed, index, ids.new_reference(), erased
