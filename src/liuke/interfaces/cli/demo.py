"""`liuke demo`: a site to look around in."""

from __future__ import annotations

import click


@click.command()
@click.option("--no-serve", is_flag=True, help="Make the site and stop.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port."
)
@click.option(
    "--members", default=1_050, show_default=True, type=click.IntRange(20), help="How many come."
)
@click.option(
    "--days",
    default=365,
    show_default=True,
    type=click.IntRange(105, 1_000),
    help="How long ago the shop opened.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed, another year.")
@click.pass_obj
def demo(
    processes: dict[str, object],
    no_serve: bool,
    host: str,
    port: int,
    members: int,
    days: int,
    seed: int,
) -> None:
    """Open a shop, let invented members live a year in it, and serve it."""
    from liuke.interfaces.cli.operator import made_up
    from liuke.interfaces.demo.site import make_site

    def say(line: str) -> None:
        click.echo(line, err=True)

    site = make_site(new_password=made_up, say=say, members=members, days=days, seed=seed)
    for name, (where, password) in site.logins.items():
        told = password or f"the password told before, or: liuke operator password {name}"
        say(f"At {where} sign in as {name} with: {told}")
    say(f"At / is the shop. Members: {', '.join(site.phones)}; their codes are printed here.")
    serve = processes["serve"]
    if not no_serve and callable(serve):
        serve(host, port)


demo.settings = {"LIUKE_GATEWAYS": "wallet,sandbox"}  # type: ignore[attr-defined]
