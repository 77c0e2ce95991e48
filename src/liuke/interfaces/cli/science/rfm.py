"""`liuke science rfm FILE`: recency, frequency and money of everybody in a file."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import click

from liuke.interfaces.cli.options import as_of_option
from liuke.interfaces.cli.order_file import order_file_options
from liuke.interfaces.cli.science.options import json_option, predictions_option


@click.command()
@order_file_options
@as_of_option
@predictions_option
@json_option
def rfm(
    file: Path,
    as_of: dt.date | None,
    predictions: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Recency, frequency and money: a score of 1 to 5 for each, per member."""
    from liuke.interfaces.cli.science.reading import (
        date_of,
        day_number,
        read_log,
        tell,
        write_predictions,
    )
    from liuke.science.rfm import rfm_scores, rfm_values

    log = read_log(file, given, needed=("member", "at", "amount"), quiet=as_json)
    today = day_number(as_of) if as_of else int(log.day.max())
    values = rfm_values(log.member, log.day, log.amount, today)
    scores = rfm_scores(values)
    cells = Counter(zip(scores.r.tolist(), scores.f.tolist(), scores.m.tolist(), strict=True))
    figures = {
        "as_of": date_of(today).isoformat(),
        "members": len(values.member),
        "with_an_order": int((values.orders > 0).sum()),
        "cells": {f"{r}{f}{m}": count for (r, f, m), count in sorted(cells.items())},
    }
    if predictions:
        write_predictions(
            predictions,
            ("member", "days_since_last_order", "orders", "amount", "r", "f", "m"),
            zip(
                (log.members[place] for place in values.member.tolist()),
                values.days_since_last_order.tolist(),
                values.orders.tolist(),
                values.total.tolist(),
                scores.r.tolist(),
                scores.f.tolist(),
                scores.m.tolist(),
                strict=True,
            ),
        )
    sentences = [
        f"{figures['members']:,} members, {figures['with_an_order']:,} of them with an order,"
        f" as of {figures['as_of']}.",
        *(
            f"  R{r} F{f} M{m}  {count:,}"
            for (r, f, m), count in sorted(cells.items(), reverse=True)[:10]
        ),
    ]
    tell(figures, sentences, as_json=as_json)
