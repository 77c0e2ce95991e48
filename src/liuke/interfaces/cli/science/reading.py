"""From a file on the command line to arrays, without a site: no Django, no database."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from liuke.analytics.orderlog import LogArrays, UnreadableLog, as_arrays, look, read
from liuke.base import clock
from liuke.interfaces.cli.order_file import Site, columns_and_options, show_columns, with_date_order

_EPOCH = dt.date(1970, 1, 1)


def day_number(on: dt.date) -> int:
    """Days since 1970-01-01."""
    return (on - _EPOCH).days


def date_of(day: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=int(day))


def read_log(
    file: Path,
    given: dict[str, Any],
    *,
    needed: tuple[str, ...],
    wanted: tuple[str, ...] = (),
    quiet: bool = False,
) -> LogArrays:
    """The log's good lines as arrays; what was left out is said on stderr, with the first reason.

    ``given`` are the flags of `order_file_options`. Guessed columns are shown, not asked about: nothing is
    changed by reading. Raises click.ClickException with one sentence for a file that cannot be read.
    """
    try:
        log = look(file)
        columns, options = columns_and_options(log, given, _site(), needed=needed, wanted=wanted)
        if not quiet and not given["yes"] and any(given[role] is None for role in needed):
            show_columns(log, columns)
        reader = read(log, columns, with_date_order(log, columns, options, quiet))
        first_bad: list[str] = []
        arrays = as_arrays(_noting(reader, first_bad))
    except UnreadableLog as refused:
        raise click.ClickException(str(refused)) from refused
    if reader.bad:
        click.echo(f"{reader.bad:,} lines left out, the first: {first_bad[0]}", err=True)
    if not len(arrays.member):
        raise click.ClickException(f"{log.name} has no line that can be read.")
    return arrays


def _noting(blocks: Iterable[Any], first_bad: list[str]) -> Iterable[Any]:
    for block in blocks:
        if block.bad and not first_bad:
            line = block.bad[0]
            first_bad.append(f"line {line.line}: {line.reason}  {line.excerpt}")
        yield block


def _site() -> Site:
    return Site(
        now=clock.now(),
        currency=os.environ.get("LIUKE_CURRENCY", "CNY"),
        timezone=os.environ.get("LIUKE_TIME_ZONE", "Asia/Shanghai"),
    )


def write_predictions(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One CSV in UTF-8, replaced as a whole: a reader never sees half of it."""
    unfinished = file.with_name(file.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
        unfinished.replace(file)
    except OSError as failed:
        unfinished.unlink(missing_ok=True)
        raise click.ClickException(f"{file} could not be written: {failed.strerror}.") from failed


def tell(figures: dict[str, Any], sentences: Sequence[str], *, as_json: bool) -> None:
    """The figures as one JSON object, or the sentences."""
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        click.echo("\n".join(sentences))
