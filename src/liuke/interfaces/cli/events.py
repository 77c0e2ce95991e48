"""`liuke events`: what waits, what is stuck, and setting a reaction in motion again."""

from __future__ import annotations

import click


@click.group()
def events() -> None:
    """The log of what happened, and the reactions that follow."""


@events.command()
def pending() -> None:
    """Say how many events wait for a reaction, and which the dispatcher has given up."""
    from liuke.events.queries import pending_count, stuck

    click.echo(f"{pending_count():,} events wait for their reactions.")
    for event in stuck():
        click.echo(f"given up: {event}")


@events.command()
def dispatch() -> None:
    """Run every reaction that is due, here and now (the worker does this by itself)."""
    from liuke.events.dispatcher import dispatch_pending

    click.echo(f"{dispatch_pending():,} events dispatched.")


@events.command()
def retry() -> None:
    """Give every event the dispatcher gave up a fresh set of attempts."""
    from liuke.events.actions import retry_stuck

    click.echo(f"{retry_stuck():,} events queued again.")
