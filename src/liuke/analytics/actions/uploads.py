"""A file dropped on the page: keep it, look at it, have it imported, or throw it away.

Nothing here holds more of the file in memory than a look does (256 KB of text); the import itself runs in a process
of its own (`import_upload`).
"""

from __future__ import annotations

from collections.abc import Mapping as Given
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language, gettext

from liuke.analytics import filestore, queries
from liuke.analytics.actions.import_orders import check_source
from liuke.analytics.errors import (
    BadImportOption,
    DateOrderUnclear,
    UnreadableOrderLog,
    UploadEmpty,
    UploadNotKept,
    UploadTooLarge,
    UploadUnderWay,
)
from liuke.analytics.models import Source, Upload
from liuke.analytics.orderlog import (
    DateOrders,
    Guess,
    LogLook,
    Mapping,
    Options,
    UnreadableLog,
    column_index,
    guess,
    look,
    read,
)
from liuke.analytics.orderlog.errors import CannotTellColumns
from liuke.analytics.orderlog.header import ROLES
from liuke.analytics.rules import IMPORT_OPTIONS, file_label, read_source_name
from liuke.analytics.saying import why_unreadable
from liuke.base import clock, ids
from liuke.base.jobs import enqueue
from liuke.people.actions import record_act
from liuke.people.models import Login

ROWS_SHOWN = 8
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class UploadLook:
    """What a dropped file looks like, and how we would read it.

    `guessed` is a role (member, at, amount, order, item, quantity, currency) → the number of its column, `why` its
    reason; `missing` are the roles somebody has to name. `date_orders` is empty, or holds the orders between which
    somebody has to choose, with `date_example`. `problem` says why the file cannot be read at all; then the rest is
    empty.
    """

    upload: Upload
    log: LogLook | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    guessed: dict[str, int] | None = None
    why: dict[str, str] | None = None
    missing: tuple[str, ...] = ()
    amount_per_unit: bool = False
    date_orders: tuple[str, ...] = ()
    date_example: str = ""
    problem: str = ""


def take_upload(*, file: filestore.Readable, file_name: str, by: Login | None) -> Upload:
    """Keep a dropped file until somebody says what is in it. It is deleted after a day.

    Raises:
        UploadEmpty: no bytes.
        UploadTooLarge: more than `LIUKE_UPLOAD_MB`.
        UploadNotKept: the disk is full or closed to us.
    """
    reference, limit_mb = ids.new_reference(), settings.LIUKE_UPLOAD_MB
    try:
        size = filestore.keep(file, reference, bytes_max=limit_mb * _MEGABYTE)
    except filestore.TooManyBytes as refused:
        raise UploadTooLarge(mb=limit_mb) from refused
    except OSError as refused:
        raise UploadNotKept(reason=refused.strerror or type(refused).__name__) from refused
    try:
        if not size:
            raise UploadEmpty
        with transaction.atomic():
            upload = Upload.objects.create(
                reference=reference,
                file_name=file_label(file_name),
                file_bytes=size,
                state="dropped",
                by=by,
                made_at=clock.now(),
            )
            record_act(by=by, verb="upload.take", about=reference, file=upload.file_name)
    except BaseException:
        filestore.forget(reference)
        raise
    return upload


def look_at_upload(*, reference: str) -> UploadLook:
    """The columns of a dropped file, its first rows, and our guess at what is what; nothing is changed.

    Raises:
        UnknownUpload: none has this reference.
    """
    upload = queries.upload_named(reference)
    try:
        log = look_at(upload)
    except UnreadableLog as refused:
        return UploadLook(upload, problem=why_unreadable(refused, upload.file_name))
    proposal = guess(log)
    at = proposal.found.get("at")
    dates = _date_orders(log, at.column.number) if at else DateOrders()
    asks = dates.example is not None
    return UploadLook(
        upload=upload,
        log=log,
        rows=log.rows[:ROWS_SHOWN],
        guessed={role: one.column.number for role, one in proposal.found.items()},
        why={role: _why(proposal, role) for role in proposal.found},
        missing=proposal.missing,
        amount_per_unit=proposal.amount_per_unit,
        date_orders=dates.fits if asks else (),
        date_example=dates.example[1] if dates.example else "",
    )


def start_upload(
    *,
    reference: str,
    mapping: Given[str, Any],
    options: Given[str, Any],
    source_key: str,
    title: str = "",
    by: Login | None,
) -> Upload:
    """Have a dropped file imported, by the worker, soon. What can be known without reading it whole is refused now.

    `mapping` is a role → a column's number or name; `options` has any of `currency`, `timezone`, `date_order`,
    `decimal`, `amount_per_unit`. Currency and time zone that are not said are those of the source, else the site's.

    Raises:
        UnknownUpload: none has this reference.
        UploadUnderWay: its import was asked for before.
        BadImportOption: a role, an option or a source name that is none.
        UnreadableOrderLog: the file has no such column, or cannot be read.
        DateOrderUnclear: the first dates may be read in more than one order, and none was chosen.
        CurrencyChanged, UnknownCurrency, UnknownTimeZone: as for an import.
    """
    upload = queries.upload_named(reference)
    if upload.state != "dropped":
        raise UploadUnderWay(file=upload.file_name)
    columns, chosen = read_mapping(mapping), read_options(options)
    key = read_source_name(source_key)
    reading = reading_options(chosen, key)
    check_source(key, reading)
    _check_reading(upload, columns, reading)
    with transaction.atomic():
        begun = Upload.objects.filter(pk=upload.pk, state="dropped").update(
            state="queued",
            source_key=key,
            title=title.strip()[:120],
            mapping=columns,
            options={**chosen, "language": get_language() or settings.LANGUAGE_CODE},
            started_at=clock.now(),
        )
        if not begun:
            raise UploadUnderWay(file=upload.file_name)
        enqueue(
            "analytics.import_upload",
            once=f"analytics.import_upload:{reference}",
            reference=reference,
        )
        record_act(by=by, verb="upload.start", about=reference, file=upload.file_name, source=key)
    upload.refresh_from_db()
    return upload


def drop_upload(*, reference: str, by: Login | None) -> None:
    """Throw a dropped file away before its import has begun.

    Raises:
        UnknownUpload: none has this reference.
        UploadUnderWay: it is being read, or was.
    """
    upload = queries.upload_named(reference)
    with transaction.atomic():
        waiting = Upload.objects.filter(pk=upload.pk, state__in=("dropped", "queued"))
        if not waiting.delete()[0]:
            raise UploadUnderWay(file=upload.file_name)
        record_act(by=by, verb="upload.drop", about=reference, file=upload.file_name)
    filestore.forget(reference)


def look_at(upload: Upload) -> LogLook:
    """The file of an upload under the name it was dropped with."""
    return replace(look(filestore.place(upload.reference)), label=upload.file_name)


def reading_options(chosen: Given[str, Any], source_key: str) -> Options:
    """What was chosen, completed by how the source is kept, else by how the site is set."""
    source = Source.objects.filter(key=source_key).first()
    currency = source.currency if source else settings.LIUKE_CURRENCY
    time_zone = source.time_zone if source else settings.TIME_ZONE
    return Options(
        now=clock.now(),
        currency=chosen.get("currency", currency),
        timezone=chosen.get("timezone", time_zone),
        date_order=chosen.get("date_order"),
        decimal=chosen.get("decimal", "."),
        amount_per_unit=chosen.get("amount_per_unit", False),
    )


def read_mapping(given: Given[str, Any]) -> dict[str, str | int]:
    """A column's number or name for each role that has one."""
    found: dict[str, str | int] = {}
    for role, column in given.items():
        if role not in ROLES or not isinstance(column, str | int | None):
            raise BadImportOption(key=role, value=column)
        if column is not None and column != "":
            text = str(column)
            found[role] = int(text) if text.isascii() and text.isdigit() else text
    return found


def read_options(given: Given[str, Any]) -> dict[str, Any]:
    """Those options that say something."""
    for key, value in given.items():
        if key not in IMPORT_OPTIONS or not isinstance(value, str | bool | None):
            raise BadImportOption(key=key, value=value)
    return {key: value for key, value in given.items() if value not in (None, "", False)}


def _check_reading(upload: Upload, columns: dict[str, Any], options: Options) -> None:
    """Whether the columns are there and the options make sense; a doubtful order of dates is asked about."""
    try:
        log = look_at(upload)
        missing = [role for role in ("member", "at", "amount") if role not in columns]
        if missing:
            raise CannotTellColumns(file=log.name, missing=", ".join(missing))
        # An order is given here so that the file is not read to its end only to find one.
        read(log, Mapping(**columns), replace(options, date_order=options.date_order or "ymd"))
        dates = _date_orders(log, columns["at"])
    except UnreadableLog as refused:
        raise UnreadableOrderLog(reason=why_unreadable(refused, upload.file_name)) from refused
    if options.date_order is None and dates.example is not None:
        raise DateOrderUnclear(example=dates.example[1])


def _date_orders(log: LogLook, column: str | int) -> DateOrders:
    """In which orders the dates of the first rows can be read."""
    index, found = column_index(log, column), DateOrders()
    for line, row in enumerate(log.rows, start=1):
        if index < len(row):
            found.note(line, row[index].strip().partition(" ")[0])
    return found


def _why(proposal: Guess, role: str) -> str:
    guessed = proposal.found[role]
    return gettext(guessed.says) % guessed.params
