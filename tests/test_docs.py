"""Do the documents name what exists, and does what exists have a place in them?"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.test_house import LIUKE, ROOT, modules, texts

DOCS = ROOT / "docs"
COMMANDS = DOCS / "reference" / "commands.md"
SETTINGS = DOCS / "reference" / "settings.md"
EVENTS = DOCS / "reference" / "events.md"
TABLES = DOCS / "reference" / "tables.md"
REPORT = DOCS / "reference" / "report.md"
DECISIONS = DOCS / "decisions"
HEADINGS = ["Context", "Decision", "Rejected", "Consequences"]
DECISION_LINES_MAX = 45

# Words the glossary bans, where they are somebody else's words. Every entry has its reason.
LET_THROUGH = {
    ("people/models.py", "username"),  # the names Django's login model has to use
    ("base/money.py", "cents"),  # whether to show the decimals at all
    ("science/rhythm.py", "profile"),  # a profile likelihood
    ("science/btyd/summary.py", "recency"),  # t_x of the papers, not days since the last order
    ("interfaces/cli/science/recommend.py", "rank"),  # a place in a list of recommendations
    ("science/recommend/ranking.py", "rank"),
    ("science/recommend/recommender.py", "rank"),
}
OTHER_PEOPLES_WORDS = (
    "analytics/orderlog/",
    "project/",
)  # columns of exports; processes, signals, users of the system


def pages() -> list[Path]:
    """Every Markdown page of the repository that is ours."""
    found = [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *(ROOT / "src").rglob("*.md"),
        *(ROOT / "tests").rglob("*.md"),
    ]
    return sorted(path for path in found if "node_modules" not in path.parts)


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(
        r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )


def one_line(text: str) -> str:
    return " ".join(text.split())


# Commands -----------------------------------------------------------------------------------------


def commands() -> dict[str, click.Command]:
    """Every command and sub-command as typed after `liuke`."""
    from liuke.project.main import cli

    found: dict[str, click.Command] = {}

    def walk(command: click.Command, path: str) -> None:
        found[path] = command
        if isinstance(command, click.Group):
            for name, each in command.commands.items():
                walk(each, f"{path} {name}")

    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None, name
        walk(command, name)
    return found


def sections(page: Path) -> dict[str, str]:
    """`import orders` → what stands under the heading of `liuke import orders`."""
    parts = re.split(r"^## `liuke ([^`]+)`$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def undocumented(commands: dict[str, click.Command], sections: dict[str, str]) -> list[str]:
    """What the commands have and the page has not, and the other way round."""
    complaints = [f"liuke {path} is no command" for path in sections.keys() - commands.keys()]
    for path, command in commands.items():
        section = one_line(sections.get(path, ""))
        if path not in sections:
            complaints.append(f"liuke {path} has no section")
            continue
        first = one_line(inspect.cleandoc(command.help or "").split("\n\n")[0])
        if not first or first not in section:
            complaints.append(f"liuke {path}: its help is not on the page: {first!r}")
        named = set()
        for option in command.params:
            if isinstance(option, click.Option):
                named |= set(option.opts)
                if (
                    not option.help
                    or one_line(option.help) not in section
                    or f"`{option.opts[0]}" not in section
                ):
                    complaints.append(
                        f"liuke {path} {option.opts[0]} is not on the page: {option.help!r}"
                    )
        listed = set(re.findall(r"^- `(--[a-z-]+)", sections[path], re.MULTILINE))
        complaints += [f"liuke {path} {option} is no option" for option in sorted(listed - named)]
    return complaints


def test_every_command_and_option_is_on_the_commands_page_with_its_help() -> None:
    assert undocumented(commands(), sections(COMMANDS)) == []


def test_a_command_or_option_that_is_missing_or_made_up_is_noticed() -> None:
    @click.command()
    @click.option("--out", help="Where to.")
    @click.option("--secret")
    def report(out: str, secret: str) -> None:
        """Write the report."""

    page = {
        "report": "Write the reports.\n\n- `--out`: Where to.\n- `--in`: Where from.\n",
        "fly": "Fly.",
    }
    assert undocumented({"report": report, "retain": report}, page) == [
        "liuke fly is no command",
        "liuke report: its help is not on the page: 'Write the report.'",
        "liuke report --secret is not on the page: None",
        "liuke report --in is no option",
        "liuke retain has no section",
    ]


def test_every_command_line_in_the_documents_exists() -> None:
    """`liuke report --out report` in a block of code or in the prose."""
    known = commands()
    wrong = []
    for page in pages():
        for line in re.findall(
            r"\bliuke ((?:[a-z]+ ?)+(?:[^`\n#]*))", page.read_text(encoding="utf-8")
        ):
            words = line.split()
            if words[0] not in {path.split()[0] for path in known}:
                continue  # a sentence, not a command
            path = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
            options = {
                o
                for param in known[path].params
                if isinstance(param, click.Option)
                for o in param.opts
            }
            group = isinstance(known[path], click.Group)
            given = {word.split("=")[0].rstrip(".,;:)") for word in words if word.startswith("--")}
            wrong += [
                f"{page.name}: liuke {path} {option}" for option in given - options if not group
            ]
    assert wrong == []


# Settings -----------------------------------------------------------------------------------------

VARIABLE = re.compile(r"\bLIUKE_[A-Z_]*[A-Z]\b")


def variables_read(root: Path) -> set[str]:
    """LIUKE_* names in the strings of the code (docstrings apart): whoever reads a variable names it there."""
    found = set()
    for module in modules(root):
        comments = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
        for node, text in texts(module.tree):
            if id(node) not in comments:
                found |= set(VARIABLE.findall(text))
    return found


def test_every_variable_that_is_read_is_on_the_settings_page_and_the_other_way_round() -> None:
    listed = set(
        re.findall(r"^\| `(LIUKE_[A-Z_]+)` \|", SETTINGS.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert variables_read(LIUKE) == listed


def test_variables_named_on_any_page_exist() -> None:
    known = variables_read(LIUKE)
    wrong = [
        (page.name, name)
        for page in pages()
        for name in VARIABLE.findall(page.read_text(encoding="utf-8"))
    ]
    assert [where for where in wrong if where[1] not in known] == []


# Events, tables, report ---------------------------------------------------------------------------


def test_every_event_is_described_with_its_version_and_fields() -> None:
    from liuke.events.facts import kinds

    page = EVENTS.read_text(encoding="utf-8")
    described = dict(re.findall(r"^## `([^`]+)`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    ours = {kind.name: kind for kind in kinds() if kind.cls.__module__.startswith("liuke.")}
    assert described.keys() == ours.keys()
    for name, kind in ours.items():
        assert f"Version {kind.version}," in described[name]
        fields = re.findall(r"^\| `(\w+)` \|", described[name], re.MULTILINE)
        assert fields == [field.name for field in dataclasses.fields(kind.cls)]


def test_every_reaction_and_promise_is_named() -> None:
    from liuke.events import registry
    from liuke.interfaces.cli.audit import promises

    page = EVENTS.read_text(encoding="utf-8")
    assert [r.name for r in registry.reactions() if f"`{r.name}`" not in page] == []
    names = {promise.name for promise in promises()}
    rooms = "|".join(sorted({name.split(".")[0] for name in names}))
    listed = set(re.findall(rf"`((?:{rooms})\.\w+)`", TABLES.read_text(encoding="utf-8")))
    assert listed == names


def test_every_table_is_listed() -> None:
    from django.apps import apps

    ours = {m._meta.db_table for m in apps.get_models() if m.__module__.startswith("liuke.")}
    listed = set(re.findall(r"^\| `(\w+)` \|", TABLES.read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == ours


def test_every_key_of_the_report_is_described() -> None:
    """The keys that the code writes at the top of the report, read from the code."""
    keys = set()
    for name, function in (
        ("analytics/report.py", "build"),
        ("analytics/actions/evaluate.py", "_about"),
    ):
        tree = ast.parse((LIUKE / name).read_text(encoding="utf-8"))
        found = next(f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == function)
        answer = next(node for node in ast.walk(found) if isinstance(node, ast.Return))
        assert isinstance(answer.value, ast.Dict)
        keys |= {key.value for key in answer.value.keys if isinstance(key, ast.Constant)}
    page = REPORT.read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)[`.]", page))
    assert "headlines" in keys
    assert sorted(str(key) for key in keys - named) == []


def test_every_limit_of_the_data_is_explained() -> None:
    from liuke.interfaces.ui.wording import LIMITS

    page = (DOCS / "concepts" / "limits.md").read_text(encoding="utf-8")
    written = set(
        re.findall(
            r'_line\("(\w+)"',
            (LIUKE / "analytics" / "report.py").read_text().split("def limits")[1],
        )
    )
    assert written
    assert written <= LIMITS.keys()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == written


# Links and paths ----------------------------------------------------------------------------------


def broken_links(page: Path) -> Iterator[str]:
    """Relative links whose file, or whose heading, is not there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists():
            yield f"{page.name}: {target}"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"{page.name}: {target} has no such heading"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def missing_paths(page: Path) -> Iterator[str]:
    """`analytics/report.py` and the like, seen from the repository, from src/liuke, or from the page."""
    for name in re.findall(
        r"`([\w./-]+/[\w.-]+\.(?:py|md|toml|css|mjs|html|sh|lock))`", prose(page)
    ):
        if not any((place / name).exists() for place in (ROOT, ROOT / "src", LIUKE, page.parent)):
            yield f"{page.name}: {name}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_of_the_page_resolve(page: Path) -> None:
    assert [*broken_links(page), *missing_paths(page)] == []


def test_paths_in_docstrings_resolve() -> None:
    wrong = []
    for module in modules(LIUKE):
        for name in re.findall(
            r"\b((?:docs|tests|benchmarks)/[\w./-]+\w)", module.path.read_text(encoding="utf-8")
        ):
            if not (ROOT / name).exists() and not list(ROOT.glob(f"{name}*")):
                wrong.append(f"{module.name}: {name}")
    assert wrong == []


def test_a_broken_link_a_missing_heading_and_a_missing_path_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One two\n[a](gone.md) [b](#one-two) [c](#three) `base/gone.py` `base/money.py`\n```\n[d](no.md)\n```\n"
    )
    assert [*broken_links(page), *missing_paths(page)] == [
        "page.md: gone.md",
        "page.md: #three has no such heading",
        "page.md: base/gone.py",
    ]


# Decisions ----------------------------------------------------------------------------------------


def records() -> list[Path]:
    return sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    assert [path.name[:4] for path in records()] == [
        f"{n:04}" for n in range(1, len(records()) + 1)
    ]
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in records() if f"({path.name})" not in index] == []


@pytest.mark.parametrize("record", records(), ids=lambda path: path.stem)
def test_the_record_has_its_headings_each_with_something_under_it(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.match(rf"# {record.name[:4]} \S", text)
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    assert parts[1::2] == HEADINGS
    assert all(part.strip() for part in parts[2::2])
    assert len(text.splitlines()) <= DECISION_LINES_MAX


def test_the_record_of_dependencies_names_each_one() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[\[><=;~ ]", line)[0] for line in project["dependencies"]}
    text = (DECISIONS / "0016-dependencies.md").read_text(encoding="utf-8")
    assert (
        set(
            re.findall(
                r"^- ([\w-]+)(?: [\d.]+)?(?: \([^)]*\))?:",
                text.split("## Rejected")[0],
                re.MULTILINE,
            )
        )
        == names
    )


# Glossary -----------------------------------------------------------------------------------------


def banned_words() -> dict[str, str]:
    """A synonym that may be no identifier → the word to use."""
    banned = {}
    for line in (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if len(cells) == 4:
            banned |= dict.fromkeys(re.findall(r"`([a-z_]+)`", cells[3]), cells[0])
    return banned


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Every name the code gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def banned_identifiers(root: Path, banned: dict[str, str]) -> list[str]:
    complaints = set()
    for module in modules(root):
        if module.name.startswith(OTHER_PEOPLES_WORDS):
            continue
        for name in identifiers(module.tree):
            words = "_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() + "_"
            for word, better in banned.items():
                if f"_{word}_" in words and (module.name, word) not in LET_THROUGH:
                    complaints.add(f"{module.name}: {name}: say {better}")
    return sorted(complaints)


def test_no_identifier_uses_a_word_that_the_glossary_bans() -> None:
    banned = banned_words()
    assert banned["customer"] == "member"
    assert banned_identifiers(LIUKE, banned) == []


def test_a_banned_word_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "people.py").write_text(
        "def find(customer_id):\n    bestClient = customer_id\n    return bestClient\n"
    )
    assert banned_identifiers(tmp_path, {"customer": "member", "client": "member"}) == [
        "people.py: bestClient: say member",
        "people.py: customer_id: say member",
    ]


def test_a_banned_word_is_not_also_a_term() -> None:
    lines = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines()
    terms = {line.strip("| ").split(" | ")[0] for line in lines if line.startswith("| ")}
    assert terms & banned_words().keys() == set()
