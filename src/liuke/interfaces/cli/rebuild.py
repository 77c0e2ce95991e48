"""`liuke rebuild`: recount what is kept by increments; evaluate again."""

from __future__ import annotations

import click

from liuke.interfaces.cli.options import source_option


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
