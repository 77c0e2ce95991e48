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

from tests.test_house import (
    LIUKE,
    ROOT,
    RULES,
    floors,
    foreign_writes,
    keys_of,
    long_files,
    long_functions,
    loose_reactions,
    migrations_that_import_us,
    names_that_say_nothing,
    other_clocks,
    past_the_face,
    refusals_without_their_words,
    rooms_without_a_page,
    signals,
    silent_modules,
    undocumented_events,
    unresolved_jobs,
    upward_keys,
    wordless_refusals,
)

BIN = Path(sys.executable).parent

FLOORS = "Imports run down the house, never up"
ANATOMY = "Inside a room, writing rests on reading, reading on tables, tables on rules"
SCIENCE = "Science is plain arithmetic: importable in a notebook, without Django"
READER = "The order-log reader works on files alone: no Django, no tables"
SEGMENTS = "Rules of segments are read, told and compiled without Django and without tables"
LAKE = "The lake works on files alone: no Django, no tables"
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
    for contract in (FLOORS, ANATOMY, SCIENCE, READER, SEGMENTS, LAKE, APART, FACE):
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
        (READER, "analytics/orderlog/dates.py", "import django.utils.timezone"),
        (READER, "analytics/orderlog/reading.py", "import liuke.analytics.models"),
        (SEGMENTS, "analytics/segments/sql.py", "import django.db"),
        (SEGMENTS, "analytics/segments/predicate.py", "import liuke.analytics.models"),
        (LAKE, "analytics/lake/layout.py", "import django.conf"),
        (LAKE, "analytics/lake/nightly.py", "import liuke.analytics.models"),
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
    ("contract", "module"),
    [(FLOORS, "gossip/__init__.py"), (APART, "interfaces/kiosk/__init__.py")],
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
        [
            BIN / "ruff",
            "check",
            "--no-cache",
            "--output-format=concise",
            "--stdin-filename",
            name,
            "-",
        ],
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
        (
            "from django.db.models.signals import post_save\n\npost_save.connect(print)\n",
            "publish an event",
        ),
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
    (tmp_path / "loose.py").write_text(
        "def total(amounts):\n    return sum(amounts)\n", encoding="utf-8"
    )
    done = subprocess.run(
        [BIN / "mypy", "--cache-dir", str(tmp_path / "cache"), "loose.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        "loose.py:1: error: Function is missing a type annotation  [no-untyped-def]" in done.stdout
    )


# The rules of test_house.py -----------------------------------------------------------------------

MODEL = '"""Tables."""\nfrom django.db import models\n\n\nclass Member(models.Model):\n    pass\n'
LONG = '"""Long."""\n\n\ndef talk() -> None:\n' + "    print()\n" * 60
BROKEN: list[tuple[str, Callable[[Path], list[str]], dict[str, str], list[str]]] = [
    (
        "a file named utils", names_that_say_nothing, {"people/utils.py": '"""Odds."""\n'},
        ["people/utils.py:1: utils says nothing"],
    ),
    (
        "a folder named helpers", names_that_say_nothing, {"people/helpers/phones.py": '"""Odds."""\n'},
        ["people/helpers/phones.py:1: helpers says nothing"],
    ),
    (
        "an action that handles", names_that_say_nothing,
        {"people/actions/enrol.py": '"""Enrol."""\n\n\ndef handle_member() -> None: ...\n'},
        ["people/actions/enrol.py:4: handle_member: name the verb"],
    ),
    (
        "a file of 501 lines", long_files, {"people/rules.py": "x = 1\n" * 501, "people/models.py": "x = 1\n" * 500},
        ["people/rules.py:501: more than 500 lines"],
    ),
    (
        "a function of 61 lines", long_functions, {"people/rules.py": LONG},
        ["people/rules.py:4: talk has 61 lines, more than 60"],
    ),
    ("a module that says nothing", silent_modules, {"people/rules.py": "x = 1\n"}, ["people/rules.py:1: no docstring"]),
    (
        "a room without a page", rooms_without_a_page, {"people/__init__.py": '"""Who."""\n'},
        ["people/README.md:1: is missing"],
    ),
    (
        "a page of 61 lines", rooms_without_a_page,
        {"people/__init__.py": '"""Who."""\n', "people/README.md": "word\n" * 61},
        ["people/README.md:61: more than a page (60 lines)"],
    ),
    (
        "another room's table in SQL", foreign_writes,
        {
            "people/__init__.py": "", "people/models.py": MODEL, "analytics/__init__.py": "",
            "analytics/actions.py": 'A = "SELECT 1 FROM people_member FOR UPDATE"\nB = f"UPDATE people_member {A}"\n',
        },
        ["analytics/actions.py:2: writes people_member, a table of people"],
    ),
    (
        "another room's table by COPY", foreign_writes,
        {
            "people/__init__.py": "", "analytics/__init__.py": "",
            "analytics/actions.py": 'A = "COPY people_member (id) FROM STDIN"\nB = "COPY people_member TO STDOUT"\n',
        },
        ["analytics/actions.py:1: writes people_member, a table of people"],
    ),
    (
        "another room's rows by a migration", foreign_writes,
        {
            "people/__init__.py": "", "analytics/__init__.py": "",
            "analytics/migrations/0002_fix.py": 'SQL = "DELETE FROM people_member"\n',
        },
        ["analytics/migrations/0002_fix.py:1: writes people_member, a table of people"],
    ),
    (
        "another room's model by the manager", foreign_writes,
        {"analytics/actions.py": "from liuke.people.models import Member as M\n\nM.objects.filter().update(id=2)\n"},
        ["analytics/actions.py:3: writes people by .update()"],
    ),
    (
        "another room's row by save", foreign_writes,
        {
            "interfaces/console/members.py": "from liuke.people.queries import member_by_reference\n\n\n"
            "def rename(reference):\n    member = member_by_reference(reference)\n    member.save()\n"
        },
        ["interfaces/console/members.py:6: writes people by .save()"],
    ),
    (
        "another room's row as an argument", foreign_writes,
        {
            "analytics/actions.py": "from liuke.people.models import Member\n\n\n"
            "def forget(*, member: Member) -> None:\n    member.delete()\n"
        },
        ["analytics/actions.py:5: writes people by .delete()"],
    ),
    (
        "a Django signal", signals, {"people/models.py": "from django.db.models.signals import post_save\n"},
        ["people/models.py:1: imports django.db.models.signals.post_save: publish an event instead"],
    ),
    (
        "a receiver", signals, {"people/models.py": "from django import dispatch\n"},
        ["people/models.py:1: imports django.dispatch: publish an event instead"],
    ),
    (
        "a migration that needs our code", migrations_that_import_us,
        {"people/migrations/0002_more.py": "from liuke.people.models import Member\n"},
        ["people/migrations/0002_more.py:1: a migration imports liuke.people.models"],
    ),
    (
        "a clock of its own", other_clocks,
        {"people/rules.py": "import datetime as dt\n\nNOW = dt.datetime.now(dt.UTC)\n"},
        ["people/rules.py:3: reads a clock of its own"],
    ),
    (
        "chance of its own", other_clocks, {"people/rules.py": "import random\n", "base/chance.py": "import random\n"},
        ["people/rules.py:1: takes chance from elsewhere than base.chance"],
    ),
    (
        "the server's clock", other_clocks, {"people/actions.py": 'SQL = "INSERT INTO people_member VALUES (now())"\n'},
        ["people/actions.py:1: asks the database for the time: now()"],
    ),
    (
        "a refusal without words", wordless_refusals,
        {
            "people/errors.py": "from liuke.base.errors import NotFound, Refusal\n\n\nclass Gone(NotFound):\n    pass\n"
            '\n\nclass Odd(Refusal):\n    """Odd."""\n\n    says = "Odd."\n',
            "base/errors.py": "class Refusal(Exception): ...\n\n\nclass NotFound(Refusal): ...\n",
        },
        [
            "people/errors.py:4: Gone has no docstring",
            "people/errors.py:4: Gone says nothing",
            "people/errors.py:8: Odd has none of the five parents",
            "people/errors.py:11: Odd.says is not wrapped in gettext_noop",
        ],
    ),
    (
        "a refusal elsewhere", wordless_refusals,
        {
            "people/rules.py": "from liuke.base.errors import Invalid\n\n\nclass Bad(Invalid):\n"
            '    """Bad."""\n\n    says = gettext_noop("Bad.")\n',
            "base/errors.py": "class Refusal(Exception): ...\n\n\nclass Invalid(Refusal): ...\n",
        },
        ["people/rules.py:4: Bad belongs in errors.py"],
    ),
    (
        "a refusal raised without its word", refusals_without_their_words,
        {
            "people/errors.py": "from liuke.base.errors import Invalid\n\n\nclass Bad(Invalid):\n"
            '    """Bad."""\n\n    says = gettext_noop("%(name)s is bad.")\n',
            "people/actions.py": "from liuke.people.errors import Bad\n\n\ndef a():\n    raise Bad\n\n\ndef b():\n"
            '    raise Bad(name="x")\n\n\ndef c():\n    raise Bad(name="x", more=1)\n',
            "base/errors.py": "class Refusal(Exception): ...\n\n\nclass Invalid(Refusal): ...\n",
        },
        [
            "people/actions.py:5: Bad is raised without, or with too many words: name",
            "people/actions.py:13: Bad is raised without, or with too many words: more",
        ],
    ),
    (
        "a job that does not exist", unresolved_jobs,
        {
            "people/jobs.py": '@app.task(name="people.sweep")\ndef sweep(): ...\n',
            "reactions.py": 'enqueue("people.sweep", once="x")\nenqueue("people.swept")\n',
        },
        ["reactions.py:2: no job is named 'people.swept'"],
    ),
    (
        "a job named for another room", unresolved_jobs,
        {"people/jobs.py": '@app.task(name="analytics.sweep")\ndef sweep(): ...\n'},
        ["people/jobs.py:2: the task 'analytics.sweep' is not named for people"],
    ),
    (
        "reactions left loose", loose_reactions,
        {
            "people/__init__.py": "",
            "reactions.py": "from liuke.events.registry import connect as follow\n\n\ndef connect():\n"
            '    follow(Fact, count, name="people.count")\n    follow(Fact, count, name="ledger.count")\n'
            '    follow(Fact, gone, name="people.gone")\n\n\ndef count(batch): ...\n\n\ndef forgotten(batch): ...\n',
        },
        [
            "reactions.py:6: 'ledger.count' is not room.action",
            "reactions.py:7: there is no gone",
            "reactions.py:13: forgotten follows nothing",
        ],
    ),
    (
        "an interface past the face", past_the_face,
        {
            "analytics/__init__.py": "", "analytics/orderlog/__init__.py": "",
            "interfaces/cli/retain.py": "from liuke.analytics import queries, rules\n"
            "from liuke.analytics.orderlog import look\nfrom liuke.analytics.orderlog.dates import Times\n"
            "from liuke.analytics.assessment import assess\nfrom liuke.analytics.actions.evaluate import evaluate\n",
        },
        [
            "interfaces/cli/retain.py:1: analytics.rules is not part of the room's face",
            "interfaces/cli/retain.py:3: analytics.orderlog.dates is not part of the room's face",
            "interfaces/cli/retain.py:4: analytics.assessment is not part of the room's face",
        ],
    ),
]  # fmt: skip


def build(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("what", "rule", "files", "complaints"), BROKEN, ids=[case[0] for case in BROKEN]
)
def test_the_rule_sees(
    what: str,
    rule: Callable[[Path], list[str]],
    files: dict[str, str],
    complaints: list[str],
    tmp_path: Path,
) -> None:
    assert rule(build(tmp_path, files)) == complaints, what


def test_every_rule_has_been_shown_to_fail() -> None:
    assert {rule for _, rule, _, _ in BROKEN} == set(RULES)


def test_an_event_without_a_line_and_a_line_without_an_event_are_seen(tmp_path: Path) -> None:
    declared = '@fact(name="people.MemberJoined", version=1)\n@dataclass(frozen=True)\nclass MemberJoined: ...\n'
    root = build(
        tmp_path, {"people/events.py": declared, "events.md": "`people.MemberLeft` happened.\n"}
    )
    assert undocumented_events(root, tmp_path / "events.md") == [
        "people/events.py:3: people.MemberJoined has no line in the events page",
        "events.md: people.MemberLeft is no event",
    ]


def test_a_foreign_key_that_points_up_is_seen() -> None:
    from django.db import models
    from django.test.utils import isolate_apps

    with isolate_apps("liuke.people", "liuke.analytics"):

        class Level(models.Model):
            class Meta:
                app_label = "analytics"

        class Person(models.Model):
            level = models.ForeignKey(Level, models.CASCADE)

            class Meta:
                app_label = "people"

        found = upward_keys(keys_of([Level, Person]), floors(ROOT / ".importlinter"))
    assert found == ["people: Person.level points up to analytics"]
