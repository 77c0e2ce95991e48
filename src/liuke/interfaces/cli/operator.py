"""`liuke operator`: who may sign in to the console."""

from __future__ import annotations

import click

PASSWORD_LETTERS = 16


@click.group()
def operator() -> None:
    """Who may sign in to the console."""


@operator.command(name="open")
@click.argument("name")
@click.option("--password", help="Made up and printed once when not given.")
def open_(name: str, password: str | None) -> None:
    """Give NAME a login."""
    from liuke.people.actions import open_login

    password = password or made_up()
    open_login(name=name, password=password)
    click.echo(f"{name} signs in with: {password}")


@operator.command(name="password")
@click.argument("name")
@click.option("--password", help="Made up and printed once when not given.")
def password_(name: str, password: str | None) -> None:
    """Give NAME a new password; their sessions end."""
    from liuke.people.actions import change_password

    password = password or made_up()
    change_password(name=name, password=password)
    click.echo(f"{name} signs in with: {password}")


@operator.command()
def first() -> None:
    """Open a login named operator if there is none at all, and print its password once (`serve` does this)."""
    from liuke.people.actions import open_login
    from liuke.people.queries import logins

    if not logins().exists():
        password = made_up()
        open_login(name="operator", password=password)
        click.echo(f"Sign in as operator with: {password}")
        click.echo("It is shown only this once; a new one: liuke operator password operator")


def made_up() -> str:
    """A password that can be read aloud: about 77 bits."""
    from liuke.base.ids import new_reference

    return new_reference(PASSWORD_LETTERS - 1)
