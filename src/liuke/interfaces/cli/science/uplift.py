"""`liuke science uplift FILE`: did a campaign help, whom does it help more, and can that be told at all?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from liuke.interfaces.cli.order_file import COLUMN, order_file_options
from liuke.interfaces.cli.science.options import json_option, predictions_option

if TYPE_CHECKING:
    from liuke.interfaces.cli.science.trial import Trial
    from liuke.science.uplift.analysis import Uplift
    from liuke.science.uplift.qini import Ranking

ADVICE = {
    "suspect": "Believe none of it: the groups are not as a lot would have drawn them.",
    "target": "Some are moved more than others, and it can be told who: begin with the highest uplift.",
    "send_to_all": "It helps, and there is nothing to learn about whom: send to all.",
    "send_to_none": "It does harm, and there is nothing to learn about whom: send to none.",
    "nothing_to_learn": "No effect is to be seen, on average or on anybody.",
    "not_enough_data": "There are not enough members to say anything.",
}
LEFT_OUT = {
    "constant": "the same for all",
    "id_like": "hardly any two are alike",
    "follows_the_arm": "the groups differ in it as chance never would, so it came after the lot",
    "follows_the_outcome": "it gives the outcome away, so it came after it",
}


@click.command()
@order_file_options
@click.option(
    "--treatment",
    required=True,
    metavar=COLUMN,
    help="Column that says who was treated; two values.",
)
@click.option(
    "--outcome",
    required=True,
    metavar=COLUMN,
    help="Column that says what came of it; a number or 0 and 1.",
)
@click.option("--control", metavar="VALUE", help="The value of the treatment that means control.")
@click.option(
    "--control-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="The share of control the lot was drawn with (default: the nearest usual one).",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar=COLUMN,
    help="A column that was not known before the lot, such as another outcome; may be repeated.",
)
@click.option(
    "--risk",
    metavar=COLUMN,
    help="Also judge this score as a way to choose whom to send to, highest first.",
)
@predictions_option
@json_option
def uplift(
    file: Path,
    treatment: str,
    outcome: str,
    control: str | None,
    control_share: float | None,
    ignore: tuple[str, ...],
    risk: str | None,
    predictions: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """What a campaign changed, whom it moves more, and whether chance could say the same; one row a person."""
    from liuke.interfaces.cli.science.reading import tell, write_predictions
    from liuke.interfaces.cli.science.trial import Asked, read_trial
    from liuke.science.errors import InvalidInput
    from liuke.science.uplift.analysis import analyse

    asked = Asked(treatment, outcome, control, risk, given["member"], ignore, given["decimal"])
    trial = read_trial(file, asked)
    try:
        found = analyse(
            trial.treated,
            trial.outcome,
            trial.columns,
            control_share=control_share,
            risk=trial.risk,
        )
    except InvalidInput as refused:
        raise click.ClickException(f"{file.name}: {refused}.") from refused
    if predictions:
        rows = zip(trial.row, found.uplift.tolist(), strict=True)
        write_predictions(predictions, ("row", "uplift"), rows)
    notes = [*trial.notes, *_notes(found)]
    if as_json:
        for note in notes:
            click.echo(note, err=True)
    tell(_figures(found, trial, notes), [*_sentences(found), *notes], as_json=as_json)


def _figures(found: Uplift, trial: Trial, notes: list[str]) -> dict[str, Any]:
    told, plain, ranking = found.effect.effect, found.effect.plain, found.ranking
    figures = {
        "effect": _plain(told.difference),
        "interval": [_plain(told.low), _plain(told.high)],
        "qini": _plain(ranking.qini) if ranking else None,
        "qini_null_975": _plain(ranking.null_975) if ranking else None,
        "advice": found.advice,
        "n": found.treated + found.control,
        "treated": found.treated,
        "control": found.control,
        "control_value": trial.control,
        "control_share": found.control_share,
        "sample_ratio_p": found.sample_ratio_p,
        "learner": found.learner,
        "learners": {name: _plain(value) for name, value in found.qinis.items()},
        "variance_cut": _plain(found.effect.variance_cut),
        "adjusted": found.effect.is_adjusted,
        "effect_unadjusted": _plain(plain.difference),
        "interval_unadjusted": [_plain(plain.low), _plain(plain.high)],
        "features": found.used,
        "left_out": found.left_out,
        "notes": notes,
    }
    if found.risk:
        figures["risk_qini"] = _plain(found.risk.qini)
        figures["risk_qini_null_975"] = _plain(found.risk.null_975)
    return figures


def _plain(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None


def _notes(found: Uplift) -> list[str]:
    told = [f"{name} is left out: {LEFT_OUT[why]}." for name, why in found.left_out.items()]
    told += [
        f"{each.name} differs between the groups (p {each.p:.2g}): was it known before the lot?"
        for each in found.odd
        if each.name not in found.left_out
    ]
    if found.risk:
        told.append(f"Choosing by the risk given is {_against_chance(found.risk)}.")
    return told


def _against_chance(ranking: Ranking) -> str:
    is_better = "better than" if ranking.is_learnable else "no better than"
    return f"{is_better} random (Qini {ranking.qini:.3f}, chance reaches {ranking.null_975:.3f})"


def _sentences(found: Uplift) -> list[str]:
    told = found.effect.effect
    sentences = [
        f"{found.treated:,} treated, {found.control:,} control:"
        f" {told.difference:+.4g} per person ({told.low:+.4g} to {told.high:+.4g}),"
        f" {'adjusted, ' if found.effect.is_adjusted else ''}variance cut"
        f" {100 * found.effect.variance_cut:.1f} %.",
        f"A split as odd as this comes with p {found.sample_ratio_p:.3g}"
        f" where control is {100 * found.control_share:.4g} %.",
    ]
    if found.ranking:
        sentences.append(f"Choosing by {found.learner} is {_against_chance(found.ranking)}.")
    if found.used:
        sentences.append(f"Known before the lot: {', '.join(found.used)}.")
    return [*sentences, ADVICE[found.advice]]
