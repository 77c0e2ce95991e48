"""What does the house insist on? A rule is a function over a tree that answers complaints, `path:line: what`.

The product's own tree must give none; `test_contracts.py` breaks each rule in a small tree and wants exactly its
words, so that a rule which can no longer fail is noticed.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIUKE = ROOT / "src" / "liuke"
EVENTS_PAGE = ROOT / "docs" / "reference" / "events.md"

LINES_MAX = 500
FUNCTION_LINES_MAX = 60
README_LINES_MAX = 60
BANNED_NAMES = {
    "utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "shared", "data", "info", "stuff",
}  # fmt: skip
BANNED_VERBS = ("handle_", "process_", "manage_", "do_")
FACE = {"actions", "queries", "events", "errors", "models"}
# Said in ARCHITECTURE.md: what an interface may use beside the five.
DECLARED_FACES = {
    "analytics.orderlog",  # how a file is read is asked about before anything is imported
    "analytics.orderlog.errors",
    "analytics.invariants",  # `liuke audit`
    "analytics.segments",  # a rule is said in words, and typed into a form
    "analytics.segments.grammar",
    "engagement.invariants",
    "ledger.accounts",  # names, without which neither a query nor a move can be said
    "events.dispatcher",  # a command does at once what the worker would do soon
}
PARENTS = {"Invalid", "NotFound", "Forbidden", "Conflict", "Unavailable"}
NO_ROOMS = {"base", "science", "interfaces", "project"}
SIGNALS = (
    "django.db.models.signals",
    "django.dispatch",
    "django.core.signals",
    "django.contrib.auth.signals",
)
ORM_WRITES = {
    "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "update", "delete", "save",
    "acreate", "aget_or_create", "aupdate_or_create", "abulk_create", "abulk_update", "aupdate", "adelete", "asave",
}  # fmt: skip
SQL_WRITE = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|(?:ALTER|DROP)\s+TABLE)\s+"
    r"(?:ONLY\s+)?\"?([a-z]\w*)|\bCOPY\s+\"?([a-z]\w*)\"?[^;]*?\bFROM\b"
)
SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|VALUES|WITH)\b")
SQL_CLOCK = re.compile(
    r"\b(now\(\)|clock_timestamp\(\)|current_timestamp|current_date|localtimestamp)", re.IGNORECASE
)
CLOCKS = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("timezone", "now"),
}  # fmt: skip
FACT_NAME = re.compile(r"`([a-z][a-z_]*\.[A-Z][A-Za-z]*)`")
PLACEHOLDER = re.compile(r"%\((\w+)\)")


@dataclass(frozen=True)
class Module:
    """A Python file of the tree."""

    root: Path
    path: Path

    @cached_property
    def name(self) -> str:
        return self.path.relative_to(self.root).as_posix()

    @cached_property
    def room(self) -> str:
        return self.name.split("/")[0].removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def package(self) -> list[str]:
        return ["liuke", *self.name.split("/")[:-1]]

    def at(self, node: ast.AST, says: str) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}: {says}"


@lru_cache(maxsize=64)
def all_modules(root: Path) -> tuple[Module, ...]:
    return tuple(Module(root, path) for path in sorted(root.rglob("*.py")))


def modules(root: Path) -> list[Module]:
    return [module for module in all_modules(root) if "/migrations/" not in module.name]


def rooms(root: Path) -> set[str]:
    return {path.parent.name for path in root.glob("*/__init__.py")} - NO_ROOMS


def imports(module: Module) -> Iterator[tuple[ast.stmt, str, str, str]]:
    """(statement, module it names, name in it or "", local name), relative ones spelled out."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name, "", alias.asname or alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            above = module.package[: len(module.package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node, source, alias.name, alias.asname or alias.name


def names_in(module: Module) -> dict[str, str]:
    """Local name → what it was imported as, dotted."""
    return {
        local: f"{source}.{name}" if name else source for _, source, name, local in imports(module)
    }


def texts(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Every string with its place; what an f-string fills in stands as {}."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            parts = [str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values]
            yield node, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node, node.value
        else:
            waiting += ast.iter_child_nodes(node)


def literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == name), None)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def called(node: ast.expr) -> str:
    """`follow` of `follow(...)`, `task` of `app.task(...)`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


# Rules --------------------------------------------------------------------------------------------


def names_that_say_nothing(root: Path) -> list[str]:
    complaints = []
    for module in modules(root):
        parts = module.name.removesuffix(".py").split("/")
        complaints += [
            f"{module.name}:1: {part} says nothing" for part in parts if part in BANNED_NAMES
        ]
        if "actions" in parts:
            complaints += [
                module.at(function, f"{function.name}: name the verb")
                for function in functions(module.tree)
                if function.name.startswith(BANNED_VERBS)
            ]
    return complaints


def long_files(root: Path) -> list[str]:
    written = [
        path for path in sorted(root.rglob("*")) if path.suffix in (".py", ".html", ".md", ".txt")
    ]
    complaints = []
    for path in written:
        name = path.relative_to(root).as_posix()
        if not any(
            f"/{part}/" in f"/{name}" for part in ("migrations", "static", "locale", "demo")
        ) or (path.suffix == ".py" and "/migrations/" not in name):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LINES_MAX:
                complaints.append(f"{name}:{lines}: more than {LINES_MAX} lines")
    return complaints


def long_functions(root: Path) -> list[str]:
    return [
        module.at(function, f"{function.name} has {length} lines, more than {FUNCTION_LINES_MAX}")
        for module in modules(root)
        for function in functions(module.tree)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    ]


def silent_modules(root: Path) -> list[str]:
    return [f"{m.name}:1: no docstring" for m in modules(root) if not ast.get_docstring(m.tree)]


def rooms_without_a_page(root: Path) -> list[str]:
    complaints = []
    for room in sorted(rooms(root) | (NO_ROOMS - {"interfaces", "project"})):
        page = root / room / "README.md"
        if not (root / room).is_dir():
            continue
        if not page.is_file():
            complaints.append(f"{room}/README.md:1: is missing")
        elif (lines := len(page.read_text(encoding="utf-8").splitlines())) > README_LINES_MAX:
            complaints.append(
                f"{room}/README.md:{lines}: more than a page ({README_LINES_MAX} lines)"
            )
    return complaints


def foreign_writes(root: Path) -> list[str]:
    """A table is written by its own room only: no SQL elsewhere, no ORM call on another room's model."""
    complaints = []
    for module in all_modules(root):
        for node, text in texts(module.tree):
            for found in SQL_WRITE.finditer(text):
                table = found[1] or found[2]
                owner = next(
                    (room for room in rooms(root) if table.startswith(f"{room}_")), module.room
                )
                if owner != module.room:
                    complaints.append(module.at(node, f"writes {table}, a table of {owner}"))
        complaints += _orm_writes(module)
    return complaints


def _orm_writes(module: Module) -> Iterator[str]:
    foreign = {}
    for local, dotted in names_in(module).items():
        parts = dotted.split(".")
        if (
            parts[0] == "liuke"
            and len(parts) > 2
            and parts[1] != module.room
            and parts[2] in ("models", "queries")
        ):
            foreign[local] = parts[1]
    if not foreign:
        return
    for scope in [module.tree, *functions(module.tree)]:
        known = {**foreign, **_held(scope, foreign)}
        for node in _own_nodes(scope):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ORM_WRITES
            ):
                owner = known.get(_root_name(node.func.value))
                if owner:
                    yield module.at(node, f"writes {owner} by .{node.func.attr}()")


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """What lies in a function (or a module) but not in the functions inside it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)


def _held(scope: ast.AST, foreign: dict[str, str]) -> dict[str, str]:
    """Variables that hold rows of another room: assigned from its models, looped over, or annotated with them."""
    held: dict[str, str] = {}
    for node in ast.walk(scope):
        name: ast.expr | None = None
        value: ast.AST | None = None
        if (
            isinstance(node, ast.arg)
            and node.annotation is not None
            and isinstance(scope, ast.FunctionDef)
        ):
            owner = foreign.get(_root_name(node.annotation))
            held |= {node.arg: owner} if owner else {}
        elif isinstance(node, ast.Assign):
            name, value = node.targets[0], node.value
        elif isinstance(node, ast.NamedExpr | ast.AnnAssign):
            name, value = node.target, node.value
        elif isinstance(node, ast.For):
            name, value = node.target, node.iter
        if (
            isinstance(name, ast.Name)
            and value is not None
            and (owner := foreign.get(_root_name(value)))
        ):
            held[name.id] = owner
    return held


def _root_name(node: ast.AST) -> str:
    """`Member` of `Member.objects.filter(...)[0]`."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def signals(root: Path) -> list[str]:
    return [
        module.at(node, f"imports {dotted}: publish an event instead")
        for module in modules(root)
        for node, source, name, _ in imports(module)
        if (dotted := f"{source}.{name}".rstrip(".")).startswith(SIGNALS)
    ]


def migrations_that_import_us(root: Path) -> list[str]:
    return [
        module.at(node, f"a migration imports {source}")
        for module in all_modules(root)
        if "/migrations/" in module.name
        for node, source, _, _ in imports(module)
        if source.split(".")[0] == "liuke"
    ]


def other_clocks(root: Path) -> list[str]:
    """Time and chance come from `base` alone (ruff says so too); SQL never asks the server for the time."""
    complaints = []
    for module in modules(root):
        if module.room != "base":
            complaints += [
                module.at(node, "takes chance from elsewhere than base.chance")
                for node, source, _, _ in imports(module)
                if source == "random" or source.startswith("random.")
            ]
            complaints += [
                module.at(node, "reads a clock of its own")
                for node in ast.walk(module.tree)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and (called(node.func.value), node.func.attr) in CLOCKS
            ]
        complaints += [
            module.at(node, f"asks the database for the time: {found[1]}")
            for node, text in texts(module.tree)
            if SQL.search(text) and (found := SQL_CLOCK.search(text))
        ]
    return complaints


@dataclass(frozen=True)
class ErrorClass:
    module: Module
    node: ast.ClassDef
    bases: tuple[str, ...]
    says: ast.expr | None


def error_classes(root: Path) -> dict[str, ErrorClass]:
    """Every class of the tree that derives from `base.errors.Refusal`, by its dotted name."""
    classes: dict[str, ErrorClass] = {}
    for module in modules(root):
        here = "liuke." + module.name.removesuffix(".py").removesuffix("/__init__").replace(
            "/", "."
        )
        local = names_in(module)
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                bases = tuple(
                    local.get(called(base), f"{here}.{called(base)}") for base in node.bases
                )
                classes[f"{here}.{node.name}"] = ErrorClass(
                    module, node, bases, _assigned(node, "says")
                )
    refusals = {"liuke.base.errors.Refusal"}
    while more := {name for name, one in classes.items() if set(one.bases) & refusals} - refusals:
        refusals |= more
    return {name: classes[name] for name in sorted(refusals) if name in classes}


def _assigned(node: ast.ClassDef, name: str) -> ast.expr | None:
    for line in node.body:
        target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
        if isinstance(target, ast.Name) and target.id == name:
            return getattr(line, "value", None)
    return None


def wordless_refusals(root: Path) -> list[str]:
    """A refusal has one of the five parents, a docstring, and a sentence of its own marked for translation."""
    complaints = []
    for name, one in error_classes(root).items():
        if name.startswith("liuke.base.errors."):
            continue
        label = one.node.name
        if "liuke.base.errors.Refusal" in one.bases:
            complaints.append(one.module.at(one.node, f"{label} has none of the five parents"))
        if not ast.get_docstring(one.node):
            complaints.append(one.module.at(one.node, f"{label} has no docstring"))
        if one.says is None:
            complaints.append(one.module.at(one.node, f"{label} says nothing"))
        elif not _is_marked(one.says):
            complaints.append(
                one.module.at(one.says, f"{label}.says is not wrapped in gettext_noop")
            )
        if one.module.name.split("/")[-1] != "errors.py":
            complaints.append(one.module.at(one.node, f"{label} belongs in errors.py"))
    return complaints


def _is_marked(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and called(node.func) == "gettext_noop"


def refusals_without_their_words(root: Path) -> list[str]:
    """Whoever raises a refusal gives exactly what its sentence names: a missing word breaks it when it is shown."""
    wanted: dict[str, set[str]] = {}
    for name, one in error_classes(root).items():
        text = (
            literal(one.says.args[0]) if isinstance(one.says, ast.Call) and one.says.args else None
        )
        wanted[name] = set(PLACEHOLDER.findall(text or ""))
    complaints = []
    for module in modules(root):
        local = names_in(module)
        for node in ast.walk(module.tree):
            raised = node.exc if isinstance(node, ast.Raise) else None
            call = raised.func if isinstance(raised, ast.Call) else raised
            words = wanted.get(local.get(called(call), "") if call is not None else "")
            if words is None or (
                isinstance(raised, ast.Call) and any(k.arg is None for k in raised.keywords)
            ):
                continue
            given = {str(k.arg) for k in raised.keywords} if isinstance(raised, ast.Call) else set()
            if given != words:
                odd = ", ".join(sorted(given ^ words))
                complaints.append(
                    module.at(
                        node, f"{called(call)} is raised without, or with too many words: {odd}"
                    )
                )
    return complaints


def declared_facts(root: Path) -> dict[str, str]:
    """The name of every class declared with @fact, and where."""
    return {
        name: module.at(node, f"{name} has no line in the events page")
        for module in modules(root)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and called(decorator.func) == "fact"
        if (name := literal(keyword(decorator, "name")))
    }


def undocumented_events(root: Path, page: Path) -> list[str]:
    declared = declared_facts(root)
    named = set(FACT_NAME.findall(page.read_text(encoding="utf-8")))
    missing = [complaint for name, complaint in declared.items() if name not in named]
    return missing + [
        f"{page.name}: {name} is no event" for name in sorted(named - declared.keys())
    ]


def unresolved_jobs(root: Path) -> list[str]:
    """Every name handed to `enqueue` is a task of that name, and a task is named for its room."""
    tasks = list(_tasks(root))
    names = {name for _, _, name in tasks}
    return [
        module.at(function, f"the task {name!r} is not named for {module.room}")
        for module, function, name in tasks
        if not name.startswith(f"{module.room}.")
    ] + [
        module.at(node, f"no job is named {name!r}")
        for module, node, name in enqueued(root)
        if name not in names
    ]


def _tasks(root: Path) -> Iterator[tuple[Module, ast.AST, str]]:
    for module in modules(root):
        for function in functions(module.tree):
            for decorator in function.decorator_list:
                if isinstance(decorator, ast.Call) and called(decorator.func) == "task":
                    yield module, function, literal(keyword(decorator, "name")) or ""


def enqueued(root: Path) -> Iterator[tuple[Module, ast.AST, str]]:
    for module in modules(root):
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and called(node.func) == "enqueue"
                and module.name != "base/jobs.py"
            ):
                yield module, node, literal(node.args[0] if node.args else None) or ""


def loose_reactions(root: Path) -> list[str]:
    """Every function of reactions.py follows some fact, under a name that is room.action."""
    module = Module(root, root / "reactions.py")
    defined = {f.name: f for f in module.tree.body if isinstance(f, ast.FunctionDef)}
    follow = {
        local
        for local, dotted in names_in(module).items()
        if dotted == "liuke.events.registry.connect"
    }
    complaints, followed = [], set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and called(node.func) in follow and len(node.args) > 1:
            reaction = called(node.args[1])
            followed.add(reaction)
            name = literal(keyword(node, "name")) or ""
            if reaction not in defined and reaction not in names_in(module):
                complaints.append(module.at(node, f"there is no {reaction}"))
            if name.split(".")[0] not in rooms(root) or name.count(".") != 1:
                complaints.append(module.at(node, f"{name!r} is not room.action"))
    loose = {
        n: f
        for n, f in defined.items()
        if n not in followed and n != "connect" and not n.startswith("_")
    }
    return complaints + [module.at(f, f"{n} follows nothing") for n, f in loose.items()]


def past_the_face(root: Path) -> list[str]:
    """Interfaces use a room's actions, queries, events, errors and models, and the declared faces."""
    complaints = []
    for module in modules(root):
        if module.room != "interfaces":
            continue
        for node, source, name, _ in imports(module):
            parts = source.split(".")[1:] if source.startswith("liuke.") else []
            if len(parts) == 1:
                parts.append(name)
            if (
                parts
                and parts[0] in rooms(root)
                and parts[1] not in FACE
                and ".".join(parts) not in DECLARED_FACES
            ):
                complaints.append(
                    module.at(node, f"{'.'.join(parts)} is not part of the room's face")
                )
    return complaints


def floors(contract: Path) -> dict[str, int]:
    """Room → floor, counted from the top; rooms side by side share a number."""
    parser = configparser.ConfigParser()
    parser.read(contract, encoding="utf-8")
    layers = parser["importlinter:contract:floors"]["layers"].split("\n")
    lines = [line.replace("(", "").replace(")", "").strip() for line in layers if line.strip()]
    return {room.strip(): floor for floor, line in enumerate(lines) for room in line.split("|")}


@dataclass(frozen=True)
class Key:
    owner: str
    field: str
    target: str


def keys_of(models: Iterable[Any]) -> list[Key]:
    return [
        Key(
            model._meta.app_label,
            f"{model.__name__}.{field.name}",
            field.related_model._meta.app_label,
        )
        for model in models
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model is not None
    ]


def upward_keys(keys: Iterable[Key], floor: dict[str, int]) -> list[str]:
    return [
        f"{key.owner}: {key.field} points up to {key.target}"
        for key in keys
        if key.owner in floor and key.target in floor and key.owner != key.target
        if floor[key.target] <= floor[key.owner]
    ]


RULES: list[Callable[[Path], list[str]]] = [
    names_that_say_nothing, long_files, long_functions, silent_modules, rooms_without_a_page, foreign_writes, signals,
    migrations_that_import_us, other_clocks, wordless_refusals, refusals_without_their_words, unresolved_jobs,
    loose_reactions, past_the_face,
]  # fmt: skip


# The house as it stands ---------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rule(rule: Callable[[Path], list[str]]) -> None:
    assert rule(LIUKE) == []


def test_every_event_has_a_line_in_the_events_page_and_every_line_an_event() -> None:
    assert declared_facts(LIUKE)
    assert undocumented_events(LIUKE, EVENTS_PAGE) == []


def test_foreign_keys_run_down_the_floors() -> None:
    from django.apps import apps

    keys = keys_of(apps.get_models(include_auto_created=True))
    assert Key("analytics", "Standing.member", "people") in keys
    assert upward_keys(keys, floors(ROOT / ".importlinter")) == []


def test_every_room_with_tables_stands_on_a_floor() -> None:
    assert rooms(LIUKE) <= floors(ROOT / ".importlinter").keys()


def test_every_job_name_is_known_to_the_running_queue_too() -> None:
    from procrastinate.contrib.django import app

    names = {name for _, _, name in enqueued(LIUKE)}
    assert names
    assert names <= app.tasks.keys()


def test_every_reaction_is_connected_when_the_product_has_started() -> None:
    from liuke import reactions
    from liuke.events import registry
    from liuke.events.facts import kinds

    connected = {reaction.run for reaction in registry.reactions()}
    written = [
        getattr(reactions, f.name) for f in functions(Module(LIUKE, LIUKE / "reactions.py").tree)
    ]
    assert connected >= {
        f for f in written if f.__name__ != "connect" and not f.__name__.startswith("_")
    }
    declared = {kind.name for kind in kinds()}
    assert all(set(reaction.facts) <= declared for reaction in registry.reactions())


def test_every_refusal_that_python_knows_was_seen_by_the_rules() -> None:
    """The rules read text; this asks the interpreter, so that no way of deriving a class escapes them."""
    from liuke.base.errors import Refusal

    waiting, known = [Refusal], set()
    while waiting:
        waiting += waiting.pop().__subclasses__()
        known |= {
            f"{cls.__module__}.{cls.__name__}"
            for cls in waiting
            if cls.__module__.startswith("liuke.")
        }
    assert known
    assert known <= error_classes(LIUKE).keys()
