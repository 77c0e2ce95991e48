"""`liuke sandbox`: the gateway of the demo, as a process of its own."""

from __future__ import annotations

import click


@click.command()
def sandbox() -> None:
    """Run a payment gateway to play with (`serve` does this for you when it is offered)."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liuke.project.settings")
    from pathlib import Path

    from django.conf import settings

    from liuke.interfaces.sandbox.server import serve

    def say(line: str) -> None:
        click.echo(line, err=True)

    serve(Path(settings.LIUKE_HOME) / "sandbox", settings.LIUKE_SANDBOX_URL, say)


sandbox.needs_database = False  # type: ignore[attr-defined]
