"""`liuke key`: the master key, which is in no backup."""

from __future__ import annotations

import click


@click.group()
def key() -> None:
    """The master key that seals phone numbers. No backup of the database holds it."""


@key.command()
def export() -> None:
    """Print the master key in hex. Keep it apart from your backups: both together open every sealed value."""
    from liuke.base.sealing import key_file, seal

    seal("", "key.export")  # made on first use
    click.echo(key_file().read_bytes().hex())
