"""Flags that the commands of `liuke science` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from liuke.interfaces.cli.options import Decorator

predictions_option: Decorator = click.option(
    "--predictions",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.csv",
    help="Write every single prediction to this CSV.",
)
json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)


def horizon_option(default: int | None = None) -> Callable[..., Any]:
    """--horizon H in days; required without a default."""
    return click.option(
        "--horizon",
        type=click.IntRange(1, 3660),
        default=default,
        show_default=default is not None,
        required=default is None,
        metavar="DAYS",
        help="How many days after --as-of are foretold.",
    )
