"""Options that several commands share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import click


class Day(click.ParamType[dt.date]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; write it as 2026-03-31.", param, ctx)


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

as_of_option: Decorator = click.option(
    "--as-of",
    type=Day(),
    metavar="DATE",
    help="Count up to the end of this day, site-local (YYYY-MM-DD).",
)
source_option: Decorator = click.option(
    "--source", metavar="NAME", help="Which log; needed only when there are several."
)
