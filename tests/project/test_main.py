"""The `liuke` command answers fast and ends with a meaning."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from liuke.project import main as module
from liuke.project import startup
from liuke.project.errors import CannotStart

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_and_version_load_no_django_and_answer_at_once() -> None:
    best = 9.0
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run("-X", "importtime", "-m", "liuke", "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0
        assert "serve" in done.stdout
        assert "retain" in done.stdout
        assert "| django" not in done.stderr
        assert "psycopg" not in done.stderr
    assert best < 0.4  # of processor time, with import tracing: 0.3 s on the clock without
    assert run("-m", "liuke", "--version").stdout == "liuke 0.1.0\n"


def ending(monkeypatch: pytest.MonkeyPatch, does: Callable[[], object]) -> int:
    @click.command()
    def stub() -> object:
        return does()

    monkeypatch.setitem(module.cli.commands, "stub", stub)
    with pytest.raises(SystemExit) as caught:
        module.main(["stub"])
    return int(caught.value.code or 0)


def fails(error: BaseException) -> Callable[[], object]:
    def does() -> object:
        raise error

    return does


def test_how_a_command_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from liuke.base.errors import NotFound

    assert ending(monkeypatch, lambda: None) == 0
    assert ending(monkeypatch, fails(click.exceptions.Exit(1))) == 1
    assert ending(monkeypatch, fails(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err.strip() == ""
    assert ending(monkeypatch, fails(CannotStart("The moon is down."))) == 2
    assert capsys.readouterr().err == "The moon is down.\n"
    assert ending(monkeypatch, fails(NotFound())) == 2
    assert capsys.readouterr().err == f"{NotFound()}\n"
    assert ending(monkeypatch, fails(click.UsageError("Not so."))) == 2
    with pytest.raises(ZeroDivisionError):
        ending(monkeypatch, lambda: 1 // 0)


def test_a_reader_that_leaves_is_no_error() -> None:
    script = (
        "import click\n"
        "from liuke.project import main\n"
        "@main.cli.command()\n"
        "def chatter():\n"
        "    for n in range(100000): click.echo('much too much to read')\n"
        "main.main(['chatter'])\n"
    )
    pipe = f'"{sys.executable}" -W error -c "$SCRIPT" | head -1'
    done = subprocess.run(
        ["sh", "-c", pipe],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "SCRIPT": script},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "much too much to read\n"
    assert done.stderr == ""


def test_a_home_that_cannot_be_used_is_one_sentence() -> None:
    done = run("-m", "liuke", "migrate", LIUKE_HOME="/dev/null/x", LIUKE_DATABASE_URL="")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "set LIUKE_HOME" in done.stderr


def test_a_product_command_has_its_database_and_one_that_needs_none_has_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[str] = []

    @contextlib.contextmanager
    def ready(**_named: object) -> Iterator[str]:
        happened.append("up")
        yield "url"
        happened.append("down")

    monkeypatch.setattr(startup, "ready", ready)

    @click.group()
    def key() -> None:
        happened.append("group")

    @key.command()
    @click.option("--n", type=int)
    def turn(n: int) -> None:
        happened.append(f"turn {n}")

    @key.command()
    def show() -> None:
        happened.append("show")

    show.needs_database = False  # type: ignore[attr-defined]
    wrapped = module.with_database(key)
    wrapped.main(["turn", "--n", "3"], standalone_mode=False)
    assert happened == ["group", "up", "turn 3", "down"]
    happened.clear()
    wrapped.main(["show"], standalone_mode=False)
    assert happened == ["group", "show"]
    happened.clear()
    with pytest.raises(click.UsageError):
        wrapped.main(["turn", "--n", "x"], standalone_mode=False)
    assert "up" not in happened
