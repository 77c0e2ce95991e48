"""`liuke key`: the master key, which is in no backup."""

from __future__ import annotations

import sys

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


@key.command(name="import")
def import_() -> None:
    """Put an exported master key back, read in hex from standard input; a key that is there is never replaced."""
    from liuke.base.sealing import key_file, put_back

    try:
        is_there = put_back(bytes.fromhex(sys.stdin.readline().strip()))
    except ValueError as refused:
        raise click.ClickException(f"This is no master key: {refused}.") from refused
    if not is_there:
        raise click.ClickException(f"Another master key is there already: {key_file()}.")
    click.echo(f"The master key is in {key_file()}.")
