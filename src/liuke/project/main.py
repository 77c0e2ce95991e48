"""The `liuke` command. `liuke --help` loads neither Django nor the product: it has to answer at once."""

from __future__ import annotations

import contextlib
import copy
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from liuke import __version__
from liuke.project.errors import CannotStart

# Known by name here, loaded when asked for: what each does is one line, the rest is the command's own help.
PRODUCT = {
    "import": "Take in what you have from elsewhere.",
    "retain": "Say who stays, who is leaving and who is overdue.",
    "report": "Write the report as one page to forward.",
    "audit": "Check every promise over the whole database.",
    "bench": "Measure this machine beside a yardstick.",
    "demo": "Open a shop with a simulated year and serve it.",
    "events": "The log of what happened, and what waits for a reaction.",
    "key": "The master key that seals phone numbers and card keys.",
    "member": "What is kept about one member: hand it over, or forget it.",
    "operator": "Who may sign in to the console.",
    "rebuild": "Recount what is kept by increments.",
    "sandbox": "A payment gateway to play with.",
    "science": "The arithmetic on any order log, without a site.",
}


def say(line: str) -> None:
    """Progress goes to stderr: stdout is for what was asked."""
    click.echo(line, err=True)


class Commands(click.Group):
    """The process commands, and the product's loaded late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *PRODUCT})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or (
            load(cmd_name) if cmd_name in PRODUCT else None
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted({**PRODUCT, **own}.items()))


def load(name: str) -> click.Command | None:
    """A command of the product, made to have its database when it runs."""
    from liuke.interfaces.cli.commands import commands

    found: click.Command | None = (
        commands.commands if isinstance(commands, click.Group) else commands
    ).get(name)
    return with_database(found) if found else None


def with_database(command: click.Command) -> click.Command:
    """A copy of a command, and of its sub-commands, that does what it does inside `ready()`.

    Commands cannot do it themselves (imports run down only). One that works without a database says so:
    `needs_database = False` on the command or its function. `settings` on a command are variables of the environment
    that hold unless the operator set them.
    """
    command = copy.copy(command)
    if isinstance(command, click.Group):
        command.commands = {name: with_database(each) for name, each in command.commands.items()}
        return command
    does = command.callback
    needs = getattr(command, "needs_database", getattr(does, "needs_database", True))
    if does is None or not needs:
        return command

    @functools.wraps(does)
    def run(*args: Any, **named: Any) -> Any:
        from liuke.project.startup import ready

        for name, value in getattr(command, "settings", {}).items():
            os.environ.setdefault(name, value)
        with ready(say=say):
            return does(*args, **named)

    command.callback = run
    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="liuke", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Liuke (留客): keep the members of a digital-goods site."""
    # What the product's commands may ask of the processes without importing them.
    ctx.obj = {"serve": _serve, "say": say}


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="The port to listen on.",
)
def serve(host: str, port: int) -> None:
    """Run the site: database, web and worker."""
    _serve(host, port)


def _serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    from liuke.project import serve

    serve.serve(host, port, say)


@cli.command()
def worker() -> None:
    """Run jobs and reactions (`serve` does this for you)."""
    from liuke.project.processes import Stop
    from liuke.project.processes import worker as run
    from liuke.project.startup import ready

    stop = Stop()
    stop.listen()
    with ready(say=say):
        code = run(stop)
    sys.exit(code)


@cli.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    from liuke.project.startup import ready

    with ready(say=say):
        pass


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def backup(file: Path, force: bool) -> None:
    """Save the whole database in one file; the site may run meanwhile."""
    from liuke.project.backup import back_up

    made = back_up(file, force=force, say=say)
    click.echo(
        f"{sum(made.tables.values()):,} rows in {len(made.tables)} tables saved to {file}"
        f" ({file.stat().st_size / 2**20:,.1f} MB)."
    )
    say("The master key is not in it: print it with `liuke key export` and keep it elsewhere.")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of the site that is there.")
@click.option(
    "--without-key", is_flag=True, help="Restore although the sealed phone numbers stay unreadable."
)
def restore(file: Path, replace: bool, without_key: bool) -> None:
    """Put a backup back; whatever fails on the way, the database stays as it was."""
    from liuke.project.restore import put_back

    done = put_back(file, replace=replace, without_key=without_key, say=say)
    manifest = done.manifest
    click.echo(f"{sum(manifest.tables.values()):,} rows restored, as of {manifest.made_at}.")
    click.echo(f"{done.promises - len(done.broken)} of {done.promises} promises hold.")
    for name in done.broken:
        click.echo(f"BROKEN {name}")
    if done.is_outreach_stopped:
        say("Outreach is stopped: what was sent since is not known here. Look, then switch it on.")
    sys.exit(1 if done.broken else 0)


@cli.command()
@click.option("--stop", is_flag=True, help="Stop everything that runs from this home.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def doctor(stop: bool, as_json: bool) -> None:
    """Say what runs, where things are, and what is wrong."""
    from liuke.project.doctor import examine, stop_everything

    if stop:
        stop_everything(say)
    found = examine()
    click.echo(found.as_json() if as_json else found.as_text())
    sys.exit(1 if found.wrong else 0)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and turn how it ended into an exit code: 2 refused, 130 interrupted."""
    with _leaving_cleanly():
        _end(*_run(lambda: cli.main(args=arguments, prog_name="liuke", standalone_mode=False)))


def _run(command: Callable[[], Any]) -> tuple[int, str]:
    try:
        code = command()
        sys.stdout.flush()
        return (code if isinstance(code, int) else 0), ""
    except click.exceptions.Abort:
        return 130, ""
    except KeyboardInterrupt:
        return 130, ""
    except click.ClickException as error:
        error.show()
        return error.exit_code, ""
    except CannotStart as error:
        return 2, str(error)
    except BrokenPipeError:
        # Whoever read us has left: nothing to say, and nowhere to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1, ""
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        return 2, sentence


def _end(code: int, sentence: str) -> NoReturn:
    if sentence:
        say(sentence)
    sys.exit(code)


def _sentence(error: Exception) -> str | None:
    """What a person is told; None for a fault of ours. Without loading Django to find out: what raised it has."""
    refusals = sys.modules.get("liuke.base.errors")
    if refusals is not None and isinstance(error, refusals.Refusal):
        return str(error)
    for name in ("django.db.utils", "psycopg"):  # COPY raises the driver's own
        lost = sys.modules.get(name)
        if lost is not None and isinstance(error, lost.OperationalError | lost.InterfaceError):
            return f"The database went away ({_first_line(error)}); what was not finished was not kept. Try again."
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def _leaving_cleanly() -> Iterator[None]:
    """A polite end (SIGTERM, a closed terminal) unwinds like any other, so that the last one out stops the server."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
