"""`liuke import orders FILE`: an operator's order log, whatever its shape."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from liuke.interfaces.cli.order_file import (
    Site,
    all_named,
    ask,
    columns_and_options,
    order_file_options,
    with_date_order,
)

if TYPE_CHECKING:
    from liuke.analytics.actions.import_orders import Imported, Progress
    from liuke.analytics.orderlog import BadLine, LogLook, Mapping, Options

NEEDED = ("member", "at", "amount")
BAD_LINES_SHOWN = 20
EVALUATED_AT_ONCE = (
    200_000  # orders; more than that is left to the worker, whose job is queued already
)


@click.group(name="import")
def import_() -> None:
    """Take in what you have from elsewhere."""


@import_.command()
@order_file_options
@click.option(
    "--source",
    default="main",
    show_default=True,
    metavar="NAME",
    help="Which shop the log belongs to.",
)
@click.option("--title", default="", help="What to call the source on pages.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every bad line to this CSV.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def orders(file: Path, yes: bool, as_json: bool, **given: Any) -> None:
    """Take in a file of orders: CSV, TSV, spaces or Parquet, also .gz; UTF-8 or GBK.

    Columns not named are guessed and shown for your consent. Importing a file again changes nothing.
    """
    from liuke.analytics.errors import UnreadableOrderLog
    from liuke.analytics.orderlog import UnreadableLog, look

    try:
        log = look(file)
        columns, options = columns_and_options(log, given, _site(), needed=NEEDED)
        if not yes and not all_named(given):
            ask(log, columns)
        options = with_date_order(log, columns, options, as_json)
    except UnreadableLog as refused:
        raise UnreadableOrderLog(reason=str(refused)) from refused
    with Watcher(given["rejects"], quiet=as_json) as watcher:
        done = _import(log, columns, options, given, watcher)
    report = {**_figures(done), "rejected_lines": watcher.shown}
    click.echo(
        json.dumps(report, ensure_ascii=False, indent=2) if as_json else _told(done, watcher)
    )


def _site() -> Site:
    from django.conf import settings

    from liuke.base import clock

    return Site(clock.now(), settings.LIUKE_CURRENCY, settings.TIME_ZONE)


def _import(
    log: LogLook, columns: Mapping, options: Options, given: dict[str, Any], watcher: Watcher
) -> Imported:
    """Import, then do at once what the worker would do soon: count and, unless it takes long, evaluate."""
    from liuke.analytics.actions.evaluate import evaluate
    from liuke.analytics.actions.import_orders import import_orders
    from liuke.analytics.queries import is_stale
    from liuke.events.dispatcher import dispatch_pending

    done = import_orders(
        log=log,
        columns=columns,
        options=options,
        source_key=given["source"],
        title=given["title"],
        on_progress=watcher.progress,
        on_bad=watcher.bad,
    )
    watcher.say("Counting ...")
    dispatch_pending()
    if not is_stale(done.source):
        return done
    if done.orders_new <= EVALUATED_AT_ONCE:
        watcher.say("Evaluating ...")
        evaluate(source=done.source)
    else:
        watcher.say(
            "The pages follow when the worker has evaluated them, or now: liuke rebuild standings"
        )
    return done


@dataclass
class Watcher:
    """Shows how far the reading is, and keeps the bad lines."""

    rejects: Path | None
    quiet: bool

    def __enter__(self) -> Watcher:
        self.shown: list[str] = []
        self._stack = ExitStack()
        self._started: float | None = None
        self._writer = None
        if self.rejects:
            stream = self._stack.enter_context(
                self.rejects.open("w", encoding="utf-8-sig", newline="")
            )
            self._writer = csv.writer(stream)
            self._writer.writerow(["line", "reason", "text"])
        self._bar: Any = None
        return self

    def __exit__(self, *_left: object) -> None:
        self._finish_bar()
        self._stack.close()

    def bad(self, line: BadLine) -> None:
        if self._writer:
            self._writer.writerow([line.line, line.reason, line.excerpt])
        if len(self.shown) < BAD_LINES_SHOWN:
            self.shown.append(f"line {line.line}: {line.reason}  {line.excerpt}")

    def progress(self, now: Progress) -> None:
        """Bytes of the file, with lines a second."""
        from time import monotonic

        if self.quiet:
            return
        if self._bar is None:
            self._started = monotonic()
            self._bar = self._stack.enter_context(
                click.progressbar(
                    length=max(now.whole, 1),
                    label="Reading",
                    file=sys.stderr,
                    show_pos=False,
                    item_show_func=lambda text: text,
                )
            )
        seconds = max(monotonic() - (self._started or 0), 0.001)
        self._bar.update(
            now.done - self._bar.pos, f"{now.lines:,} lines, {now.lines / seconds:,.0f} a second"
        )

    def say(self, sentence: str) -> None:
        self._finish_bar()
        if not self.quiet:
            click.echo(sentence, err=True)

    def _finish_bar(self) -> None:
        if self._bar is not None:
            self._stack.pop_all().close()
            self._bar = None


def _figures(done: Imported) -> dict[str, Any]:
    return {
        "source": done.source.key,
        "currency": done.source.currency,
        "lines": done.lines,
        "accepted": done.accepted,
        "rejected": done.rejected,
        "blank": done.blank,
        "rounded": done.rounded,
        "orders_new": done.orders_new,
        "orders_known": done.orders_known,
        "members": done.members,
        "members_new": done.members_new,
    }


def _told(done: Imported, watcher: Watcher) -> str:
    lines = [
        f"{done.lines:,} lines read: {done.accepted:,} accepted, {done.rejected:,} rejected,"
        f" {done.blank:,} blank.",
        f"{done.orders_new:,} new orders ({done.orders_known:,} already known)"
        f" of {done.members:,} members, {done.members_new:,} of them new.",
    ]
    if done.rounded:
        lines.append(
            f"{done.rounded:,} amounts had more decimals than the currency and were rounded."
        )
    lines += watcher.shown
    hidden = done.rejected - len(watcher.shown)
    if hidden:
        where = watcher.rejects or "--rejects FILE.csv"
        lines.append(f"... and {hidden:,} more; all of them: {where}")
    return "\n".join(lines)
