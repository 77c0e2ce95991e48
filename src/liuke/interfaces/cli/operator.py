"""`liuke operator`: who may sign in to the console."""

from __future__ import annotations

import click

PASSWORD_LETTERS = 16
ROLES = ("operator", "agent")


@click.group()
def operator() -> None:
    """Who may sign in to the console."""


@operator.command(name="open")
@click.argument("name")
@click.option("--password", help="Made up and printed once when not given.")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="operator",
    show_default=True,
    help="An operator does everything; an agent sees members and answers calls.",
)
def open_(name: str, password: str | None, role: str) -> None:
    """Give NAME a login."""
    from liuke.people.actions import open_login

    password = password or made_up()
    open_login(name=name, password=password, role=role)
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
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
def role(name: str, role: str) -> None:
    """Make NAME an operator or an agent."""
    from liuke.people.actions import set_role

    set_role(name=name, role=role, by=None)
    click.echo(f"{name} is an {role}.")


@operator.command()
@click.argument("name")
def close(name: str) -> None:
    """Let NAME sign in no more; their sessions end."""
    from liuke.people.actions import set_active

    set_active(name=name, is_active=False, by=None)
    click.echo(f"{name} can no longer sign in.")


@operator.command()
@click.argument("name")
def reopen(name: str) -> None:
    """Let NAME sign in again."""
    from liuke.people.actions import set_active

    set_active(name=name, is_active=True, by=None)
    click.echo(f"{name} can sign in again.")


@operator.command()
@click.argument("name")
@click.option("--drop", is_flag=True, help="Forget the authenticator; their sessions end.")
def totp(name: str, drop: bool) -> None:
    """Say whether NAME has an authenticator, or drop one that was lost."""
    from liuke.people.actions import drop_totp
    from liuke.people.queries import login_named

    if drop:
        drop_totp(name=name, by=None)
        click.echo(f"{name} has no authenticator now and is asked for one at the next sign-in.")
        return
    since = login_named(name).totp_since
    click.echo(f"{name}: " + (f"since {since:%Y-%m-%d}" if since else "no authenticator"))


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
