"""Take a file of orders in: all of it or nothing, and no line twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection, transaction

from liuke.analytics.errors import (
    CurrencyChanged,
    NothingToImport,
    UnknownCurrency,
    UnknownTimeZone,
    UnreadableOrderLog,
)
from liuke.analytics.events import OrdersImported
from liuke.analytics.models import Import, Source
from liuke.analytics.orderlog import (
    BadLine,
    LogLook,
    Mapping,
    Options,
    UnreadableLog,
    copy_block,
    read,
)
from liuke.analytics.saying import why_unreadable
from liuke.base import clock
from liuke.events.actions import publish
from liuke.people.actions import ENROLLED, enrol

NAMES_AT_ONCE = 20_000

_STAGE = """
DROP TABLE IF EXISTS staged_line, staged;
CREATE TEMP TABLE staged_line (
    line bigint, member text NOT NULL, at timestamptz NOT NULL, "on" date NOT NULL, amount_fen bigint NOT NULL,
    quantity bigint NOT NULL, order_number text, item text
) ON COMMIT DROP
"""
_COPY = (
    'COPY staged_line (line, member, at, "on", amount_fen, quantity, order_number, item) FROM STDIN'
)
# Which purchase a line belongs to. Lines that share an order number are one order; a line without one is an order of
# its own, told from an identical line by its place among them.
_IDENTIFY = f"""
CREATE TEMP TABLE staged ON COMMIT DROP AS
SELECT line, member_id, at, "on", amount_fen, quantity, order_number, item,
       ('x' || left(md5(words), 16))::bit(64)::bigint AS digest
FROM (
    SELECT s.*, e.member_id, 'order|' || s.order_number AS words
    FROM staged_line s JOIN {ENROLLED} e ON e.name = s.member
    WHERE s.order_number IS NOT NULL
    UNION ALL
    SELECT s.*, e.member_id, concat_ws('|', 'line', extract(epoch FROM s.at), s.amount_fen, s.quantity,
           row_number() OVER (PARTITION BY e.member_id, s.at, s.amount_fen, s.quantity ORDER BY s.line))
    FROM staged_line s JOIN {ENROLLED} e ON e.name = s.member
    WHERE s.order_number IS NULL
) AS told
"""
# A plain insert of what is not known: half the price of ON CONFLICT for a million rows. Imports into a source take
# turns, so nothing comes between looking and inserting; if it did, the constraint would refuse the whole import.
_TAKE = """
INSERT INTO analytics_purchase (member_id, origin_id, digest, order_number, at, "on", amount_fen, quantity)
SELECT s.member_id, %(import)s, s.digest, min(s.order_number), min(s.at), min(s."on"),
       sum(s.amount_fen)::bigint, sum(s.quantity)::bigint
FROM staged s
WHERE NOT EXISTS (
    SELECT 1 FROM analytics_purchase p WHERE p.member_id = s.member_id AND p.digest = s.digest)
GROUP BY s.member_id, s.digest
ORDER BY s.member_id, s.digest
"""
_TAKE_ITEMS = """
INSERT INTO analytics_purchase_line (purchase_id, line, item, quantity, amount_fen)
SELECT p.id, s.line, s.item, s.quantity, s.amount_fen
FROM staged s
JOIN analytics_purchase p ON p.member_id = s.member_id AND p.digest = s.digest AND p.origin_id = %(import)s
WHERE s.item IS NOT NULL
ORDER BY p.id, s.line
"""
_COUNT_ORDERS = "SELECT count(*) FROM (SELECT DISTINCT member_id, digest FROM staged) AS orders"


@dataclass(frozen=True)
class Imported:
    """What became of a file: every line is accepted, rejected or blank."""

    import_id: int
    source: Source
    lines: int
    accepted: int
    rejected: int
    blank: int
    rounded: int
    orders_new: int
    orders_known: int
    members_new: int
    members: int


@dataclass(frozen=True)
class Progress:
    """How far the reading is: bytes (rows for Parquet) of the whole, and lines so far."""

    done: int
    whole: int
    lines: int


def import_orders(
    *,
    log: LogLook,
    columns: Mapping,
    options: Options,
    source_key: str,
    title: str = "",
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_bad: Callable[[BadLine], None] = lambda _line: None,
) -> Imported:
    """Read, stage, enrol, insert: one transaction. Bad lines are handed to `on_bad` with number and reason.

    Two imports into one source wait for each other. Re-importing a file changes nothing; identical lines inside one
    file stay. The figures of the members follow by reaction to `OrdersImported`.

    Raises:
        UnreadableOrderLog: the reader refused the file or the columns.
        NothingToImport: no line was good.
        CurrencyChanged: the source is kept in another currency or time zone.
    """
    started_at = clock.now()
    check_options(options)
    with transaction.atomic():
        source = _open_source(source_key, title or source_key, options)
        try:
            read_lines = _stage(log, columns, options, on_progress, on_bad)
        except UnreadableLog as refused:
            raise UnreadableOrderLog(reason=why_unreadable(refused)) from refused
        members_new = enrol(source=source.key, names=_names())
        taken = Import.objects.create(
            source=source,
            file_name=log.name[:255],
            mapping=asdict(columns),
            **read_lines,
            orders_new=0,
            orders_known=0,
            members_new=members_new,
            started_at=started_at,
            finished_at=started_at,
        )
        new, known, members = _take(taken.pk, has_items=columns.item is not None)
        taken.orders_new, taken.orders_known, taken.finished_at = new, known, clock.now()
        taken.save(update_fields=["orders_new", "orders_known", "finished_at"])
        publish(
            OrdersImported(import_id=taken.pk, source_id=source.pk, orders=new, members=members)
        )
    return Imported(
        import_id=taken.pk,
        source=source,
        **read_lines,
        orders_new=new,
        orders_known=known,
        members_new=members_new,
        members=members,
    )


def check_source(key: str, options: Options) -> None:
    """Whether a source may take a file read with these options; it need not exist yet.

    Raises:
        UnknownCurrency, UnknownTimeZone: what they say.
        CurrencyChanged: the source is kept in another currency or time zone.
    """
    check_options(options)
    source = Source.objects.filter(key=key).first()
    if source is not None:
        _check_kept(source, options)


def check_options(options: Options) -> None:
    """Whether currency and time zone exist."""
    if not (
        len(options.currency) == 3 and options.currency.isascii() and options.currency.isupper()
    ):
        raise UnknownCurrency(currency=options.currency)
    try:
        ZoneInfo(options.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise UnknownTimeZone(zone=options.timezone) from unknown


def _open_source(key: str, title: str, options: Options) -> Source:
    """Find or open the source, and hold it until the transaction ends: imports into it take turns."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('analytics.import'), hashtext(%s))", [key]
        )
    source, _ = Source.objects.get_or_create(
        key=key,
        defaults={
            "title": title,
            "currency": options.currency,
            "time_zone": options.timezone,
            "opened_at": clock.now(),
        },
    )
    _check_kept(source, options)
    return source


def _check_kept(source: Source, options: Options) -> None:
    kept, given = f"{source.currency} {source.time_zone}", f"{options.currency} {options.timezone}"
    if kept != given:
        raise CurrencyChanged(source=source.key, kept=kept, given=given)


def _stage(
    log: LogLook,
    columns: Mapping,
    options: Options,
    on_progress: Callable[[Progress], None],
    on_bad: Callable[[BadLine], None],
) -> dict[str, int]:
    first_reason = ""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        reader = read(log, columns, options)
        with cursor.copy(_COPY) as copy:
            for block in reader:
                copy.write(copy_block(block))
                for line in block.bad:
                    first_reason = first_reason or line.reason
                    on_bad(line)
                on_progress(Progress(reader.bytes_read, reader.bytes_total, reader.lines))
        cursor.execute("ANALYZE staged_line (member)")
    if not reader.good:
        raise NothingToImport(lines=reader.lines, reason=first_reason)
    return {
        "lines": reader.lines,
        "accepted": reader.good,
        "rejected": reader.bad,
        "blank": reader.blank_lines,
        "rounded": reader.rounded,
    }


def _names() -> Iterator[str]:
    """Everyone named in the staged lines, once each."""
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT DISTINCT member FROM staged_line")
        for rows in iter(lambda: cursor.fetchmany(NAMES_AT_ONCE), []):
            yield from (name for (name,) in rows)


def _take(import_id: int, *, has_items: bool) -> tuple[int, int, int]:
    """(orders that are new, orders known before, members) of the staged lines."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(f"ANALYZE {ENROLLED}")
        cursor.execute(_IDENTIFY)
        lines = cursor.rowcount
        cursor.execute("ANALYZE staged (member_id, digest)")
        cursor.execute(_TAKE, {"import": import_id})
        new: int = cursor.rowcount
        orders = new  # when every line was a new order there is nothing to tell apart
        if new != lines:
            cursor.execute(_COUNT_ORDERS)
            (orders,) = cursor.fetchone()
        if new:  # what follows must not be planned for the tables as they were before
            cursor.execute("ANALYZE analytics_purchase, people_member")
        if new and has_items:
            cursor.execute(_TAKE_ITEMS, {"import": import_id})
        cursor.execute(f"SELECT count(DISTINCT member_id) FROM {ENROLLED}")
        (members,) = cursor.fetchone()
    return new, orders - new, members
