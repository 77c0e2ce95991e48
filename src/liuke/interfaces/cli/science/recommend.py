"""`liuke science recommend FILE`: what each member may want next, and how often that was right."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from liuke.interfaces.cli.options import as_of_option
from liuke.interfaces.cli.order_file import order_file_options
from liuke.interfaces.cli.science.options import horizon_option, json_option, predictions_option

if TYPE_CHECKING:
    from liuke.analytics.orderlog import LogArrays
    from liuke.science.recommend.lines import Lines
    from liuke.science.recommend.recommender import Recommender


@click.command()
@order_file_options
@as_of_option
@horizon_option(default=30)
@click.option(
    "--k", type=click.IntRange(1, 1000), default=10, show_default=True, help="How long the lists."
)
@click.option(
    "--new-only", is_flag=True, help="Write the second list: only what the member never bought."
)
@predictions_option
@json_option
def recommend(
    file: Path,
    as_of: dt.date | None,
    horizon: int,
    k: int,
    new_only: bool,
    predictions: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """What each member may want next, and how much of the next basket that foretells.

    History is everything up to and including --as-of; the truth is each member's first basket
    within the horizon after it. A basket is an order number, or else a member's day. recall_at_k is
    the mean over members of the share of that basket found among their first k; recall_at_k_new is
    the same for a second list, without what they had, and for the items of the basket they never
    had. Returns are no purchases.
    """
    from liuke.interfaces.cli.science.reading import date_of, day_number, read_log, tell
    from liuke.science.recommend.fit import fit_lines
    from liuke.science.recommend.recall import next_baskets

    log = read_log(
        file,
        given,
        needed=("member", "at", "item"),
        wanted=("order", "amount"),
        quiet=as_json,
    )
    today = day_number(as_of) if as_of else int(log.day.max())
    lines = _lines(log)
    if not (lines.day <= today).any():
        raise click.ClickException(
            f"{file.name}: nobody bought an item up to {date_of(today).isoformat()}."
        )
    started = time.perf_counter()
    recommender = fit_lines(lines, as_of_day=today, horizon_days=horizon)
    seconds = time.perf_counter() - started
    truth = next_baskets(lines, today, horizon)
    found = {
        is_new: _recall(recommender, lines, truth.by_member(new_only=is_new), k, is_new)
        for is_new in (False, True)
    }
    if predictions:
        _write(predictions, log, recommender, today, k, new_only)
    figures = {
        "recall_at_k": found[False],
        "recall_at_k_new": found[True],
        "k": k,
        "members": len(truth.by_member(new_only=new_only)),
        "items": len(recommender.items),
        "seconds": seconds,
        "as_of": date_of(today).isoformat(),
        "horizon": horizon if int(log.day.max()) > today else None,
    }
    tell(figures, [*_sentences(figures, recommender, new_only=new_only)], as_json=as_json)


def _lines(log: LogArrays) -> Lines:
    """What was bought: lines with an item that are no returns."""
    from liuke.science.recommend.lines import read_lines

    kept = (log.item >= 0) & (log.amount >= 0) & (log.quantity >= 0)
    return read_lines(log.member[kept], log.day[kept], log.item[kept], log.order[kept])


def _recall(
    recommender: Recommender, lines: Lines, truth: dict[int, set[int]], k: int, new_only: bool
) -> float | None:
    """Recall of the lists, in places of ``lines``; None where nobody bought afterwards."""
    from liuke.science.recommend.recall import recall

    if not truth:
        return None
    lists: dict[int, list[int]] = {}
    for member, _, item in recommender.everyone(k, new_only=new_only):
        places = lines.members.searchsorted(member), lines.items.searchsorted(item)
        for who, what in zip(*(each.tolist() for each in places), strict=True):
            lists.setdefault(who, []).append(what)
    return recall(lists, truth)


def _write(
    predictions: Path, log: LogArrays, recommender: Recommender, today: int, k: int, new_only: bool
) -> None:
    from liuke.interfaces.cli.science.reading import write_predictions

    rows = _rows(log, recommender, today, k, new_only)
    write_predictions(predictions, ("member", "rank", "item"), rows)


def _rows(
    log: LogArrays, recommender: Recommender, today: int, k: int, new_only: bool
) -> Iterator[tuple[str, int, str]]:
    """A list for every member with a line by then; what is popular for one without an item."""
    for member, rank, item in recommender.everyone(k, new_only=new_only):
        for who, place, what in zip(member.tolist(), rank.tolist(), item.tolist(), strict=True):
            yield log.members[who], place, log.items[what]
    here = set(log.member[log.day <= today].tolist())
    for who in sorted(here - set(recommender.members.tolist())):
        for place, each in enumerate(recommender.cold(k), start=1):
            yield log.members[who], place, log.items[each.item]


def _sentences(
    figures: dict[str, Any], recommender: Recommender, *, new_only: bool
) -> Iterator[str]:
    settings = recommender.settings
    yield (
        f"{len(recommender.members):,} members and {figures['items']:,} items as of"
        f" {figures['as_of']}, fitted in {figures['seconds']:.1f} s."
    )
    how = (
        "chosen by this log's own past"
        if settings.basis == "chosen"
        else "usual, too few to choose"
    )
    yield f"A purchase counts half after {settings.half_life:g} days ({how})."
    if figures["horizon"] is None:
        yield "The file holds nothing after that day: there is nothing to compare the lists with."
        return
    name = "recall_at_k_new" if new_only else "recall_at_k"
    if figures[name] is None:
        yield "Nobody of them bought anything of the kind in time: there is nothing to compare."
        return
    yield (
        f"Of what {figures['members']:,} members put into their next basket within"
        f" {figures['horizon']} days{' and never had' if new_only else ''},"
        f" {figures[name]:.1%} stood among the first {figures['k']}."
    )
