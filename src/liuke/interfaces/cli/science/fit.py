"""`liuke science fit FILE`: how often members buy, how they leave, and what they will bring."""

from __future__ import annotations

import datetime as dt
import math
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from liuke.interfaces.cli.options import as_of_option
from liuke.interfaces.cli.order_file import order_file_options
from liuke.interfaces.cli.science.options import horizon_option, json_option, predictions_option

if TYPE_CHECKING:
    from liuke.science.btyd.fitting import Fit
    from liuke.science.btyd.summary import BuyingSummary

MONEY = "gg"
ORDERS_BESIDE_MONEY = "bgnbd"
"""Gamma-Gamma foretells money per order only; how many orders is foretold by this model."""


@click.command()
@order_file_options
@click.option(
    "--model",
    type=click.Choice(["bgnbd", "mbgnbd", "paretonbd", MONEY]),
    default="bgnbd",
    show_default=True,
    help="BG/NBD, MBG/NBD or Pareto/NBD for orders, Gamma-Gamma for money per order.",
)
@as_of_option
@horizon_option(default=90)
@predictions_option
@json_option
def fit(
    file: Path,
    model: str,
    as_of: dt.date | None,
    horizon: int,
    predictions: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Fit a buy-till-you-die model; foretell the orders and the money of every member.

    Time is in weeks, purchases of one day are one purchase. expected_amount is the money that the
    expected orders bring, not of one order; it is empty where nothing can be said.
    """
    from liuke.interfaces.cli.science.reading import date_of, day_number, read_log, tell
    from liuke.science.btyd import gammagamma
    from liuke.science.btyd.models import MODELS
    from liuke.science.btyd.summary import buying_summary
    from liuke.science.errors import InvalidInput

    log = read_log(file, given, needed=("member", "at"), wanted=("amount",), quiet=as_json)
    today = day_number(as_of) if as_of else int(log.day.max())
    minor_units = _minor_units(given["currency"])
    try:
        summary = buying_summary(log.member, log.day, log.amount, today)
        fits = {name: each.fit for name, each in MODELS.items()}
        fits[MONEY] = partial(gammagamma.fit, minor_units=minor_units)
        started = time.perf_counter()
        fitted = fits[model](summary)
        seconds = time.perf_counter() - started
        if not fitted.converged:
            click.echo(_no_peak(fitted), err=True)
        if predictions:
            _write(predictions, log.members, summary, fitted, horizon, minor_units)
    except InvalidInput as refused:
        raise click.ClickException(f"{file.name}: {refused}.") from refused
    figures = {
        "model": model,
        "params": _numbers(fitted.params),
        "standard_errors": _numbers(fitted.standard_errors),
        "log_likelihood": fitted.log_likelihood,
        "seconds": seconds,
        "members": fitted.members,
        "converged": fitted.converged,
        "as_of": date_of(today).isoformat(),
    }
    tell(figures, _sentences(fitted, summary, str(figures["as_of"])), as_json=as_json)


def _write(
    predictions: Path,
    names: list[str],
    summary: BuyingSummary,
    fitted: Fit,
    horizon: int,
    minor_units: int,
) -> None:
    """One row per member with an order; the model that was not asked for is fitted beside."""
    from liuke.interfaces.cli.science.reading import write_predictions
    from liuke.science.btyd.models import MODELS

    orders = fitted
    if fitted.model == MONEY:
        orders = MODELS[ORDERS_BESIDE_MONEY].fit(summary)
    expected = MODELS[orders.model].expected_orders(
        orders.params, summary.frequency, summary.recency, summary.age, horizon / summary.unit_days
    )
    money = fitted if fitted.model == MONEY else _money_beside(summary, minor_units)
    for beside in (orders, money):
        if beside and beside is not fitted and not beside.converged:
            click.echo(_no_peak(beside), err=True)
    write_predictions(
        predictions,
        ("member", "expected_orders", "expected_amount"),
        zip(
            (names[place] for place in summary.member.tolist()),
            expected.tolist(),
            _amounts(expected.tolist(), summary, money, minor_units),
            strict=True,
        ),
    )


def _money_beside(summary: BuyingSummary, minor_units: int) -> Fit | None:
    """Gamma-Gamma, or None where too few paid: then no amount is foretold, and that is said."""
    from liuke.science.btyd import gammagamma
    from liuke.science.errors import NotEnoughData

    try:
        return gammagamma.fit(summary, minor_units=minor_units)
    except NotEnoughData as refused:
        click.echo(f"No amounts are foretold: {refused}.", err=True)
        return None


def _amounts(
    orders: list[float], summary: BuyingSummary, money: Fit | None, minor_units: int
) -> list[float | str]:
    from liuke.science.btyd import gammagamma

    if money is None:
        return [""] * len(orders)
    each = gammagamma.expected_amount(
        money.params, summary.frequency, summary.repeat_money / minor_units
    )
    return [
        count * one if math.isfinite(one) else ""
        for count, one in zip(orders, each.tolist(), strict=True)
    ]


def _minor_units(currency: str | None) -> int:
    """Minor units in one major unit of the file's currency, as it was read."""
    from liuke.base.money import exponent

    named = currency or ""
    is_code = len(named) == 3 and named.isascii() and named.isupper()
    code: str = named if is_code else os.environ.get("LIUKE_CURRENCY", "CNY")
    return int(10 ** exponent(code))


def _numbers(values: dict[str, float]) -> dict[str, float | None]:
    """JSON has no NaN: what is not known is null."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _no_peak(fitted: Fit) -> str:
    return (
        f"{fitted.model} did not converge: these orders do not tell its parameters apart,"
        " so they are no measurement."
    )


def _sentences(fitted: Fit, summary: BuyingSummary, as_of: str) -> list[str]:
    from liuke.science.btyd.goodness import goodness

    lines = [
        f"{fitted.model} of {fitted.members:,} members as of {as_of},"
        f" log-likelihood {fitted.log_likelihood:,.2f}.",
        *(
            f"  {name:<6}{value:.4g} ± {fitted.standard_errors[name]:.2g}"
            if fitted.converged
            else f"  {name:<6}{value:.4g}"
            for name, value in fitted.params.items()
        ),
    ]
    if fitted.model == MONEY:
        return lines
    counts = goodness(fitted, summary)
    table = zip(
        counts.repeats.tolist(), counts.observed.tolist(), counts.expected.tolist(), strict=True
    )
    lines.append("Bought again, members, foretold:")
    lines += [f"  {times:>2}{seen:>12,.0f}{foretold:>14,.1f}" for times, seen, foretold in table]
    if counts.degrees:
        lines.append(
            f"Chi-square {counts.chi_square:.2f} with {counts.degrees} degrees of freedom,"
            f" p = {counts.p_value:.3g}."
        )
    return lines
