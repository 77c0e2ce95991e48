"""`liuke science churn FILE`: who buys nothing in the next H days, and how far to believe it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from liuke.interfaces.cli.options import as_of_option
from liuke.interfaces.cli.order_file import order_file_options
from liuke.interfaces.cli.science.options import horizon_option, json_option, predictions_option

if TYPE_CHECKING:
    from liuke.science.churn.forecast import ChurnForecast
    from liuke.science.churn.scoring import Scores

_WHY_NOT = {
    "no_orders": "Not enough data: nobody ordered up to that day.",
    "too_few_members": "Not enough data: fewer than 30 members, or fewer than 10 who bought again."
    " The probabilities are a best guess.",
    "history_too_short": "Not enough data: the log is too short for its horizon to be rehearsed once,"
    " or too few bought or stayed away. The probabilities have not been checked.",
}
_NOTES = {
    "boosting_unavailable": "LightGBM cannot be loaded here (it needs OpenMP): done without trees.",
    "fit_has_no_peak": "The buying model's likelihood has no single peak; its best point is used.",
    "learned_from_a_sample": "What helps was learned from a sample of the members.",
}


@click.command()
@order_file_options
@as_of_option
@horizon_option()
@predictions_option
@json_option
def churn(
    file: Path,
    as_of: dt.date | None,
    horizon: int,
    predictions: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Churn: the chance of no purchase in the next --horizon days, per member.

    Lines after --as-of are used for nothing but to score the forecast, where the file reaches far enough.
    """
    from liuke.interfaces.cli.science.reading import (
        day_number,
        read_log,
        tell,
        write_predictions,
    )
    from liuke.science.churn.forecast import forecast
    from liuke.science.churn.outcome import came_true
    from liuke.science.errors import InvalidInput

    log = read_log(file, given, needed=("member", "at", "amount"), quiet=as_json)
    today = day_number(as_of) if as_of else int(log.day.max())
    known = log.member >= 0
    lines = (log.member[known], log.day[known], log.amount[known])
    try:
        found = forecast(*lines, today, horizon)
        seen = came_true(found, *lines)
    except InvalidInput as refused:
        raise click.ClickException(f"{refused}.") from refused
    if predictions:
        write_predictions(
            predictions,
            ("member", "probability"),
            zip(
                (log.members[place] for place in found.member.tolist()),
                (f"{chance:.8f}" for chance in found.probability.tolist()),
                strict=True,
            ),
        )
    figures = _figures(found, seen)
    tell(figures, _sentences(found, figures), as_json=as_json)


def _figures(found: ChurnForecast, seen: Scores | None) -> dict[str, Any]:
    from liuke.interfaces.cli.science.reading import date_of

    scores = seen or found.backtest
    season, drift = found.level.season, found.level.drift
    parts = (found.model, "season" * bool(season), "drift" * bool(drift))
    return {
        "as_of": date_of(found.as_of_day).isoformat(),
        "horizon": found.horizon_days,
        "n": len(found.member),
        "model": "+".join(part for part in parts if part),
        "enough": found.enough,
        "auc": scores.auc if scores else None,
        "average_precision": scores.average_precision if scores else None,
        "brier": scores.brier if scores else None,
        "ece": scores.ece if scores else None,
        "evaluated_on": ("outcome" if seen else "backtest") if scores else None,
        "backtest_as_of": date_of(found.backtest_day).isoformat() if found.backtest_day else None,
        "season_shift": season,
        "drift_shift": drift,
        "reliability": [
            {"members": one.members, "forecast": one.forecast, "actual": one.actual}
            for one in (scores.reliability if scores else ())
        ],
        "notes": [
            *([_WHY_NOT[found.why_not]] if found.why_not else []),
            *(_NOTES[code] for code in found.notes),
        ],
    }


def _sentences(found: ChurnForecast, figures: dict[str, Any]) -> list[str]:
    said = [
        f"{figures['n']:,} members as of {figures['as_of']}; on average"
        f" {found.probability.mean():.1%} buy nothing in the next {figures['horizon']} days."
        if figures["n"]
        else f"No member as of {figures['as_of']}.",
        *figures["notes"],
    ]
    if figures["evaluated_on"]:
        against = {
            "outcome": "Against what came",
            "backtest": f"In the rehearsal of {figures['backtest_as_of']}",
        }[figures["evaluated_on"]]
        shown = (
            (name, figures[key])
            for name, key in (
                ("AUC", "auc"),
                ("average precision", "average_precision"),
                ("Brier", "brier"),
                ("calibration error", "ece"),
            )
        )
        said.append(
            f"{against}, model {figures['model']}: "
            + ", ".join(f"{name} {value:.4f}" for name, value in shown if value is not None)
            + "."
        )
    said += [
        f"  said {one['forecast']:6.1%}   came {one['actual']:6.1%}   {one['members']:,} members"
        for one in figures["reliability"]
    ]
    return said
