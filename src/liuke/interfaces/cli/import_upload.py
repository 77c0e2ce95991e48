"""`liuke import upload REFERENCE`: what the worker runs for a file that was dropped on the page."""

from __future__ import annotations

import click


@click.command()
@click.argument("reference")
def upload(reference: str) -> None:
    """Import a file that was dropped on the page and wait for its turn (the worker does this by itself)."""
    from liuke.analytics.actions.import_upload import import_upload
    from liuke.analytics.queries import upload_named

    import_upload(reference=reference)
    found = upload_named(reference)
    told = f"{found.file_name}: {found.state}, {found.lines:,} lines read."
    click.echo(f"{told} {found.problem}".strip())
