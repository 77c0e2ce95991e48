"""`liuke rebuild`: recount what is kept by increments; evaluate again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from liuke.interfaces.cli.options import source_option

if TYPE_CHECKING:
    from liuke.analytics.actions.compare_lake import Comparison


@click.group()
def rebuild() -> None:
    """Recount what is kept by increments."""


@rebuild.command()
@click.option("--repair", is_flag=True, help="Replace the figures that differ.")
def facts(repair: bool) -> None:
    """Compare every member's running figures with a recount; exit 1 when they differ and were not repaired."""
    from liuke.analytics.actions.rebuild_facts import rebuild_facts

    drift = rebuild_facts(repair=repair)
    if not drift.drifted:
        click.echo(f"{drift.members:,} members recounted; all figures agree to the smallest unit.")
        return
    done = "repaired" if drift.repaired else "not repaired (say --repair)"
    click.echo(f"{len(drift.drifted):,} of {drift.members:,} members differ; {done}.")
    if not drift.repaired:
        raise SystemExit(1)


@rebuild.command()
@source_option
def standings(source: str | None) -> None:
    """Say again where every member stands, as of the last order (never later than today)."""
    from liuke.analytics.actions.evaluate import evaluate
    from liuke.analytics.queries import source_named, sources

    for found in [source_named(source)] if source else sources():
        content = evaluate(source=found)
        click.echo(f"{found.key}: {content['log']['members']:,} members as of {content['as_of']}.")


@rebuild.command()
@source_option
def forecasts(source: str | None) -> None:
    """Say again who may leave and what members may bring, as of the last evaluation."""
    from liuke.analytics.actions.forecast import forecast_members
    from liuke.analytics.queries import source_named, sources

    for found in [source_named(source)] if source else sources():
        run = forecast_members(source=found)
        how = f"by {run.model}" if run.enough else f"not checked: {run.why_not}"
        click.echo(
            f"{found.key}: {run.members:,} members, {run.leaving:,} leaving within"
            f" {run.horizon_days} days as of {run.as_of} ({how})."
        )


@rebuild.command()
def lists() -> None:
    """Choose anew what each member is shown, and count what came of the last choice."""
    from liuke.engagement.actions.renew_lists import renew_lists

    made = renew_lists()
    click.echo(
        f"{made.persons:,} members have lists of their own ({made.suggestions:,} suggestions);"
        f" {made.held_out:,} are held out."
    )


@rebuild.command()
@source_option
@click.option("--recount", is_flag=True, help="Count everything again instead of one more day.")
@click.option("--afresh", is_flag=True, help="Write all files of the lake again.")
def lake(source: str | None, recount: bool, afresh: bool) -> None:
    """Bring the lake up to date and compare its count with the running figures; exit 1 when they differ."""
    from liuke.analytics.actions.grow_lake import rebuild_lake
    from liuke.analytics.queries import source_named, sources

    drifted = 0
    for found in [source_named(source)] if source else sources():
        done = rebuild_lake(source=found, recount=recount, afresh=afresh)
        drifted += done.comparison.drifted
        told = done.told
        how = f"recounted ({told['why']})" if told["how"] == "recount" else "continued"
        if told["belated_members"]:
            how += f", {told['belated_members']:,} of them recounted for belated orders"
        click.echo(
            f"{found.key}: {done.purchases:,} purchases in the lake, {done.purchases_new:,} of them new;"
            f" members {how} as of {done.as_of}."
        )
        click.echo(f"  {_agreement(done.comparison)}")
    if drifted:
        raise SystemExit(1)


def _agreement(comparison: Comparison) -> str:
    if comparison.is_waiting:
        return "An import is still being counted; the running figures were not compared."
    if comparison.drifted:
        return (
            f"{comparison.drifted:,} of {comparison.members:,} members have other running figures;"
            " see `liuke rebuild facts`."
        )
    return f"The running figures of {comparison.members:,} members agree to the smallest unit."
