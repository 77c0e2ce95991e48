"""`liuke bench`: measure this machine beside a yardstick. Runs from a checkout: benchmarks/ is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[4]
NOT_BENCHMARKS = {"__init__", "database", "nursery", "shoppers", "site", "visitors"}


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--short", is_flag=True, help="A smaller run, as the tests make it.")
def bench(name: str | None, as_json: bool, short: bool) -> None:
    """Run one benchmark, or name them all. Each prints a ratio against a yardstick run beside it."""
    found = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - NOT_BENCHMARKS
    if not found:
        raise click.UsageError("There is no benchmarks/ here: liuke bench runs from a checkout.")
    if name is None:
        click.echo(json.dumps(sorted(found)) if as_json else "\n".join(sorted(found)))
        return
    if name not in found:
        known = ", ".join(sorted(found))
        raise click.UsageError(f"There is no benchmark named {name}. Known: {known}")
    size = [] if short else ["--full"]
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *size],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"The benchmark {name} failed; its words are above.")
    figures = json.loads(done.stdout)
    click.echo(
        done.stdout.strip()
        if as_json
        else "\n".join(f"{key:<28}{value}" for key, value in figures.items())
    )


bench.needs_database = False  # type: ignore[attr-defined]
