"""`liuke bench`: measure this machine beside a yardstick. Runs from a checkout: benchmarks/ is not installed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[4]


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--short", is_flag=True, help="A smaller run, as the tests make it.")
def bench(name: str | None, as_json: bool, short: bool) -> None:
    """Run one benchmark, or name them all. Each prints a ratio against a yardstick run beside it."""
    known = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("[a-z]*.py"))}
    if not known:
        raise click.UsageError("There is no benchmarks/ here: liuke bench runs from a checkout.")
    if name is None:
        click.echo(json.dumps(sorted(known)) if as_json else "\n".join(sorted(known)))
        return
    if name not in known:
        raise click.UsageError(f"There is no benchmark named {name}. Known: {', '.join(known)}")
    figures: dict[str, Any] = _load(name, known[name]).run(full=not short)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        click.echo("\n".join(f"{key:<32}{value}" for key, value in figures.items()))


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmarks.{name}", path)
    if spec is None or spec.loader is None:
        raise click.UsageError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bench.needs_database = False  # type: ignore[attr-defined]
