"""`liuke member`: what is kept about one member, to hand over or to forget."""

from __future__ import annotations

import json

import click


@click.group()
def member() -> None:
    """What is kept about one member: hand it over, or forget it."""


@member.command()
@click.argument("reference")
def export(reference: str) -> None:
    """Print everything that is kept about a member as one JSON object, phone number included."""
    from django.core.serializers.json import DjangoJSONEncoder

    from liuke.interfaces.ui.member_file import file_of
    from liuke.people.actions import record_act
    from liuke.people.queries import member_by_reference

    found = member_by_reference(reference)
    content = file_of(found)
    record_act(by=None, verb="member.export", about=found.reference)
    click.echo(json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))


@member.command()
@click.argument("reference")
@click.option("--yes", is_flag=True, help="Do not ask: it cannot be taken back.")
def erase(reference: str, yes: bool) -> None:
    """Forget who a member is; their orders stay, under a name that says nothing."""
    from liuke.people.actions import erase_member
    from liuke.people.queries import member_by_reference, members_of

    found = member_by_reference(reference)
    if not yes:
        rows = members_of(found.person_id).count()
        click.confirm(f"Erase {found.name} ({rows} rows)? It cannot be taken back", abort=True)
    erase_member(member=found, by=None)
    click.echo(f"{found.reference} is erased.")
