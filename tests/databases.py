"""Databases cloned from a pristine template in tenths of a second, for tests whose processes must commit."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_pristine = ""


def url(database: str) -> str:
    """The run's server, another database."""
    return make_conninfo(
        **{**conninfo_to_dict(os.environ["LIUKE_DATABASE_URL"]), "dbname": database}
    )


def _run(statement: str) -> None:
    with psycopg.connect(os.environ["LIUKE_DATABASE_URL"], autocommit=True) as server:
        server.execute(statement)  # type: ignore[call-overload]


def pristine(connection: Any) -> str:
    """Copy the freshly migrated test database before any test has touched it; the copy's name."""
    global _pristine
    name = f"{connection.settings_dict['NAME']}_pristine"
    connection.close()
    if hasattr(connection, "close_pool"):
        connection.close_pool()
    drop(name)
    _run(f'CREATE DATABASE "{name}" TEMPLATE "{connection.settings_dict["NAME"]}"')
    _pristine = name
    return name


def drop(name: str) -> None:
    """Not WITH (FORCE): that fails when autovacuum is at work, whom only a superuser may end."""
    _run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{name}' AND usename = current_user"
    )
    _run(f'DROP DATABASE IF EXISTS "{name}"')


@contextmanager
def spare() -> Iterator[str]:
    """A clone of the pristine database; dropped afterwards, whoever is still connected."""
    name = f"spare_{uuid.uuid4().hex[:12]}"
    _run(f'CREATE DATABASE "{name}" TEMPLATE "{_pristine}"')
    try:
        yield url(name)
    finally:
        drop(name)


def start_liuke(where: str, *words: object, home: Path | None = None) -> subprocess.Popen[str]:
    """`liuke` in a process of its own on a database, its output kept apart; in a home of its own when told."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "liuke", *map(str, words)],
        env={
            **os.environ,
            "LIUKE_DATABASE_URL": where,
            **({"LIUKE_HOME": str(home)} if home else {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_liuke(where: str, *words: object, home: Path | None = None) -> tuple[int, str, str]:
    """Run `liuke` to its end: exit code, stdout, stderr."""
    process = start_liuke(where, *words, home=home)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
