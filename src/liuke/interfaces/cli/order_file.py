"""How a command reads an order log: the flags, the columns they name, and what is guessed beside them."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from liuke.interfaces.cli.options import Day

if TYPE_CHECKING:
    from liuke.analytics.orderlog import Guess, LogLook, Mapping, Options

ROLES = ("member", "at", "amount", "order", "item", "quantity", "currency")
COLUMN = "NAME|NUMBER"

Command = Callable[..., Any]

_FLAGS: tuple[Callable[[Command], Command], ...] = (
    click.argument("file", type=click.Path(path_type=Path)),
    click.option("--member", metavar=COLUMN, help="Column that says who bought."),
    click.option("--at", metavar=COLUMN, help="Column that says when."),
    click.option(
        "--amount", metavar=COLUMN, help="Column that says how much was paid; negative is a return."
    ),
    click.option(
        "--order",
        metavar=COLUMN,
        help="Column with the order number; lines that share one are one order.",
    ),
    click.option("--item", metavar=COLUMN, help="Column that says what was bought."),
    click.option("--quantity", metavar=COLUMN, help="Column that says how many."),
    click.option(
        "--currency",
        metavar=f"{COLUMN}|CODE",
        help="Currency column, or one code for the file, such as USD.",
    ),
    click.option(
        "--amount-per-unit",
        is_flag=True,
        help="The amount is the price of one: multiply by the quantity.",
    ),
    click.option(
        "--date-order",
        type=click.Choice(["ymd", "dmy", "mdy"]),
        help="How to read dates such as 03/04/2026.",
    ),
    click.option(
        "--day-zero",
        type=Day(),
        metavar="DATE",
        help="Read small numbers in the date column as days since this day.",
    ),
    click.option(
        "--decimal", type=click.Choice([".", ","]), default=".", help="The decimal sign of amounts."
    ),
    click.option(
        "--timezone", metavar="ZONE", help="Time zone of times without one (default: the site's)."
    ),
    click.option("--yes", is_flag=True, help="Accept the guessed columns."),
)


def order_file_options(command: Command) -> Command:
    """The file and every flag that says how to read it; `named_columns` takes them."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


@dataclass(frozen=True)
class Site:
    """What the flags leave open."""

    now: dt.datetime
    currency: str
    timezone: str


def columns_and_options(
    log: LogLook,
    given: dict[str, Any],
    site: Site,
    *,
    needed: tuple[str, ...],
    wanted: tuple[str, ...] = (),
) -> tuple[Mapping, Options]:
    """What was asked for, completed by what was guessed.

    Nothing is guessed when all that is needed or wanted was named. Raises CannotTellColumns when a needed
    column is neither named nor found.
    """
    from liuke.analytics.orderlog import Options, guess

    guessed = guess(log)
    named = {role: _column(given[role]) for role in ROLES if given[role] is not None}
    code = _currency_code(log, given["currency"])
    if code:
        named.pop("currency")
    options = Options(
        now=site.now,
        currency=code or site.currency,
        timezone=given["timezone"] or site.timezone,
        date_order=given["date_order"],
        day_zero=given["day_zero"],
        decimal=given["decimal"],
        amount_per_unit=given["amount_per_unit"] or _is_per_unit(guessed, given),
    )
    return _mapping(log, guessed, named, needed=needed, wanted=wanted), options


def _mapping(
    log: LogLook,
    guessed: Guess,
    named: dict[str, str | int],
    *,
    needed: tuple[str, ...],
    wanted: tuple[str, ...],
) -> Mapping:
    """Named columns win; a guessed one is dropped when its column was named for something else."""
    from liuke.analytics.orderlog import Mapping, column_index
    from liuke.analytics.orderlog.errors import CannotTellColumns

    taken = {column_index(log, column) for column in named.values()}
    free: dict[str, str | int] = {}
    if not all(role in named for role in needed + wanted):
        free = {
            role: found.column.number
            for role, found in guessed.found.items()
            if found.column.index not in taken
        }
    both = {**free, **named}
    missing = [role for role in needed if role not in both]
    if missing:
        raise CannotTellColumns(file=log.name, missing=", ".join(missing))
    return Mapping(**{"amount": None, **both})  # type: ignore[arg-type]


def _is_per_unit(guessed: Guess, given: dict[str, Any]) -> bool:
    return guessed.amount_per_unit and given["amount"] is None


def all_named(given: dict[str, Any]) -> bool:
    return all(given[role] is not None for role in ("member", "at", "amount"))


def _column(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() else text


def _currency_code(log: LogLook, text: str | None) -> str | None:
    """Three capital letters that name no column are a code for the whole file."""
    if text is None or not (len(text) == 3 and text.isascii() and text.isupper()):
        return None
    return None if any(column.name == text for column in log.columns) else text


def show_columns(log: LogLook, columns: Mapping) -> None:
    """Which column would be read as what, on stderr."""
    click.echo(
        f"{log.name}: {log.format}, {log.encoding or 'typed'}. I would read it like this:", err=True
    )
    for role in ROLES:
        number = getattr(columns, role)
        if number is not None:
            click.echo(f"  {role:<9}{_described(log, number)}", err=True)


def ask(log: LogLook, columns: Mapping) -> None:
    """Show the columns and have them accepted; a UsageError where nobody can answer."""
    show_columns(log, columns)
    if not sys.stdin.isatty():
        raise click.UsageError(
            "Say --yes to accept these columns, or name them: --member --at --amount."
        )
    click.confirm("Read it so?", default=True, abort=True, err=True)


def _described(log: LogLook, asked: str | int) -> str:
    from liuke.analytics.orderlog import column_index

    column = log.columns[column_index(log, asked)]
    return f"column {column.number} “{column.name}”   {', '.join(column.values[:3])}"


def with_date_order(log: LogLook, columns: Mapping, options: Options, quiet: bool) -> Options:
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
