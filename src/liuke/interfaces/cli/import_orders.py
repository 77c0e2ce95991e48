"""`liuke import orders FILE`: an operator's order log, whatever its shape."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from liuke.analytics.actions.import_orders import Imported, Progress
    from liuke.analytics.orderlog import BadLine, Guess, LogLook, Mapping, Options

ROLES = ("member", "at", "amount", "order", "item", "quantity", "currency")
BAD_LINES_SHOWN = 20
EVALUATED_AT_ONCE = (
    200_000  # orders; more than that is left to the worker, whose job is queued already
)
COLUMN = "NAME|NUMBER"


@click.group(name="import")
def import_() -> None:
    """Take in what you have from elsewhere."""


@import_.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--member", metavar=COLUMN, help="Column that says who bought.")
@click.option("--at", metavar=COLUMN, help="Column that says when.")
@click.option(
    "--amount", metavar=COLUMN, help="Column that says how much was paid; negative is a return."
)
@click.option(
    "--order",
    metavar=COLUMN,
    help="Column with the order number; lines that share one are one order.",
)
@click.option("--item", metavar=COLUMN, help="Column that says what was bought.")
@click.option("--quantity", metavar=COLUMN, help="Column that says how many.")
@click.option(
    "--currency",
    metavar=f"{COLUMN}|CODE",
    help="Currency column, or one code for the file, such as USD.",
)
@click.option(
    "--amount-per-unit",
    is_flag=True,
    help="The amount is the price of one: multiply by the quantity.",
)
@click.option(
    "--date-order",
    type=click.Choice(["ymd", "dmy", "mdy"]),
    help="How to read dates such as 03/04/2026.",
)
@click.option(
    "--decimal", type=click.Choice([".", ","]), default=".", help="The decimal sign of amounts."
)
@click.option(
    "--timezone", metavar="ZONE", help="Time zone of times without one (default: the site's)."
)
@click.option(
    "--source",
    default="main",
    show_default=True,
    metavar="NAME",
    help="Which shop the log belongs to.",
)
@click.option("--title", default="", help="What to call the source on pages.")
@click.option("--yes", is_flag=True, help="Accept the guessed columns.")
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
        columns, options = _columns(log, given)
        if not yes and not _all_named(given):
            _ask(log, columns)
        options = _with_date_order(log, columns, options, as_json)
    except UnreadableLog as refused:
        raise UnreadableOrderLog(reason=str(refused)) from refused
    with Watcher(given["rejects"], quiet=as_json) as watcher:
        done = _import(log, columns, options, given, watcher)
    report = {**_figures(done), "rejected_lines": watcher.shown}
    click.echo(
        json.dumps(report, ensure_ascii=False, indent=2) if as_json else _told(done, watcher)
    )


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


def _columns(log: LogLook, given: dict[str, Any]) -> tuple[Mapping, Options]:
    """What was asked for, completed by what was guessed."""
    from django.conf import settings

    from liuke.analytics.orderlog import Options, guess
    from liuke.base import clock

    guessed = guess(log)
    named = {role: _column(given[role]) for role in ROLES if given[role] is not None}
    code = _currency_code(log, given["currency"])
    if code:
        named.pop("currency")
    options = Options(
        now=clock.now(),
        currency=code or settings.LIUKE_CURRENCY,
        timezone=given["timezone"] or settings.TIME_ZONE,
        date_order=given["date_order"],
        decimal=given["decimal"],
        amount_per_unit=given["amount_per_unit"] or _is_per_unit(guessed, given),
    )
    return _mapping(log, guessed, named, all_named=_all_named(given)), options


def _mapping(
    log: LogLook, guessed: Guess, named: dict[str, str | int], *, all_named: bool
) -> Mapping:
    """Named columns win; a guessed one is dropped when its column was named for something else."""
    from liuke.analytics.orderlog import Mapping, column_index
    from liuke.analytics.orderlog.errors import CannotTellColumns

    if all_named:
        return Mapping(**named)
    taken = {column_index(log, column) for column in named.values()}
    free = {
        role: found.column.number
        for role, found in guessed.found.items()
        if found.column.index not in taken
    }
    both = {**free, **named}
    missing = [role for role in ("member", "at", "amount") if role not in both]
    if missing:
        raise CannotTellColumns(file=log.name, missing=", ".join(missing))
    return Mapping(**both)


def _is_per_unit(guessed: Guess, given: dict[str, Any]) -> bool:
    return guessed.amount_per_unit and given["amount"] is None


def _all_named(given: dict[str, Any]) -> bool:
    return all(given[role] is not None for role in ("member", "at", "amount"))


def _column(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() else text


def _currency_code(log: LogLook, text: str | None) -> str | None:
    """Three capital letters that name no column are a code for the whole file."""
    if text is None or not (len(text) == 3 and text.isascii() and text.isupper()):
        return None
    return None if any(column.name == text for column in log.columns) else text


def _ask(log: LogLook, columns: Mapping) -> None:
    click.echo(
        f"{log.name}: {log.format}, {log.encoding or 'typed'}. I would read it like this:", err=True
    )
    for role in ROLES:
        number = getattr(columns, role)
        if number is not None:
            click.echo(f"  {role:<9}{_described(log, number)}", err=True)
    if not sys.stdin.isatty():
        raise click.UsageError(
            "Say --yes to accept these columns, or name them: --member --at --amount."
        )
    click.confirm("Read it so?", default=True, abort=True, err=True)


def _described(log: LogLook, asked: str | int) -> str:
    from liuke.analytics.orderlog import column_index

    column = log.columns[column_index(log, asked)]
    return f"column {column.number} “{column.name}”   {', '.join(column.values[:3])}"


def _with_date_order(log: LogLook, columns: Mapping, options: Options, quiet: bool) -> Options:
    """Day or month first is asked when the file does not settle it, never assumed."""
    from liuke.analytics.orderlog import date_orders

    if options.date_order or quiet or not sys.stdin.isatty():
        return options
    found = date_orders(log, columns.at)
    if not found.needed or len(found.fits) < 2 or found.example is None:
        return options
    line, value = found.example
    chosen = click.prompt(
        f"Line {line} is dated {value}. Day first (dmy), month first (mdy) or year first (ymd)?",
        type=click.Choice(list(found.fits)),
        err=True,
    )
    return replace(options, date_order=chosen)


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
