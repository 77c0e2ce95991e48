"""Do the tools that guard the house still bite? Each contract is broken on purpose in a copy, and has to say so."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIUKE = ROOT / "src" / "liuke"
BIN = Path(sys.executable).parent

FLOORS = "Imports run down the house, never up"
ANATOMY = "Inside a room, writing rests on reading, reading on tables, tables on rules"
SCIENCE = "Science is plain arithmetic: importable in a notebook, without Django"
APART = "Interfaces do not import one another; cli may start any, all may use ui"
FACE = "Interfaces use a room's public face only (actions, queries, events, errors, models)"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's Python files and the contracts, to break and mend."""
    folder = tmp_path_factory.mktemp("house")
    for path in LIUKE.rglob("*.py"):
        target = folder / "liuke" / path.relative_to(LIUKE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    shutil.copyfile(ROOT / ".importlinter", folder / ".importlinter")
    return folder


@pytest.fixture
def add(copy: Path) -> Iterator[Callable[[str, str], None]]:
    """Append a line to a module of the copy (or make the module); undone afterwards."""
    before: dict[Path, str | None] = {}

    def append(name: str, line: str) -> None:
        path = copy / "liuke" / name
        before.setdefault(path, path.read_text(encoding="utf-8") if path.exists() else None)
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{before[path] or ''}\n{line}\n", encoding="utf-8")

    yield append
    for path, text in before.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")


def lint(folder: Path) -> tuple[int, str]:
    """What `lint-imports` says of the copy: exit code and words, line breaks taken out."""
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_the_copy_as_it_is_keeps_every_contract(copy: Path) -> None:
    code, said = lint(copy)
    assert code == 0, said
    for contract in (FLOORS, ANATOMY, SCIENCE, APART, FACE):
        assert f"{contract} KEPT" in said


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        (FLOORS, "people/models.py", "import liuke.analytics.models"),
        (FLOORS, "events/actions.py", "from liuke.people import queries"),
        (FLOORS, "base/money.py", "import liuke.science.rfm"),
        (FLOORS, "analytics/report.py", "import liuke.reactions"),
        (FLOORS, "reactions.py", "import liuke.interfaces.ui.figures"),
        (ANATOMY, "people/queries.py", "import liuke.people.actions.enrol"),
        (ANATOMY, "analytics/rules.py", "import liuke.analytics.models"),
        (ANATOMY, "events/models.py", "import liuke.events.queries"),
        (SCIENCE, "science/rfm.py", "import django.db"),
        (SCIENCE, "science/rfm.py", "import liuke.base.clock"),
        (APART, "interfaces/console/members.py", "import liuke.interfaces.cli.retain"),
        (APART, "interfaces/demo/site.py", "import liuke.interfaces.console.members"),
        (APART, "interfaces/ui/wording.py", "import liuke.interfaces.console.members"),
        (FACE, "interfaces/cli/retain.py", "import liuke.analytics.rules"),
        (FACE, "interfaces/console/members.py", "import liuke.events.jobs"),
    ],
)
def test_the_contract_is_broken_by(
    contract: str, module: str, line: str, copy: Path, add: Callable[[str, str], None]
) -> None:
    add(module, line)
    code, said = lint(copy)
    assert code == 1, said
    assert f"{contract} BROKEN" in said


@pytest.mark.parametrize(
    ("contract", "module"), [(FLOORS, "gossip/__init__.py"), (APART, "interfaces/kiosk/__init__.py")]
)
def test_a_room_or_interface_that_no_contract_places_is_refused(
    contract: str, module: str, copy: Path, add: Callable[[str, str], None]
) -> None:
    add(module, '"""Not on any floor."""')
    try:
        code, said = lint(copy)
        assert code == 1, said
        assert contract in said
        assert Path(module).parent.name in said
    finally:
        shutil.rmtree((copy / "liuke" / module).parent / "__pycache__", ignore_errors=True)


def test_every_room_with_tables_is_listed_in_the_anatomy() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    listed = set(parser["importlinter:contract:anatomy"]["containers"].split())
    assert listed == {f"liuke.{path.parent.name}" for path in LIUKE.glob("*/models.py")}


# ruff and mypy ------------------------------------------------------------------------------------


def ruff(code: str, name: str = "src/liuke/people/rules.py") -> str:
    done = subprocess.run(
        [BIN / "ruff", "check", "--no-cache", "--output-format=concise", "--stdin-filename", name, "-"],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("from django.utils.timezone import now\n\nnow()\n", "use liuke.base.clock.now"),
        ("import datetime as dt\n\ndt.datetime.now(dt.UTC)\n", "use liuke.base.clock.now"),
        ("import datetime as dt\n\ndt.date.today()\n", "use liuke.base.clock.today"),
        ("import random\n\nrandom.random()\n", "take chance from liuke.base.chance"),
        ("from django.db.models.signals import post_save\n\npost_save.connect(print)\n", "publish an event"),
        ("from django.dispatch import receiver\n\nreceiver(print)\n", "publish an event"),
    ],
)
def test_ruff_bans(code: str, says: str) -> None:
    found = ruff(code)
    assert "TID251" in found
    assert says in found


def test_ruff_has_nothing_against_the_ways_of_the_house() -> None:
    assert "All checks passed" in ruff("from liuke.base import clock\n\nclock.now()\n")


def test_ruff_refuses_an_import_inside_a_function_of_a_room() -> None:
    late = "def total() -> int:\n    import json\n\n    return len(json.dumps(1))\n"
    assert "PLC0415" in ruff(late)
    assert "PLC0415" not in ruff(late, "src/liuke/interfaces/cli/total.py")


def test_mypy_refuses_a_function_without_types(tmp_path: Path) -> None:
    """The product's own configuration, without the plugin: that one would load all of Django."""
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    plugin = 'plugins = ["mypy_django_plugin.main"]\n'
    assert plugin in config
    (tmp_path / "pyproject.toml").write_text(config.replace(plugin, ""), encoding="utf-8")
    (tmp_path / "loose.py").write_text("def total(amounts):\n    return sum(amounts)\n", encoding="utf-8")
    done = subprocess.run(
        [BIN / "mypy", "--cache-dir", str(tmp_path / "cache"), "loose.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "loose.py:1: error: Function is missing a type annotation  [no-untyped-def]" in done.stdout
