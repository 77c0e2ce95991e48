"""`liuke backup FILE`: the whole database as it is at one moment, in one file, while the site may run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from liuke import __version__
from liuke.project import archive, dumping
from liuke.project.archive import Manifest, Say
from liuke.project.binaries import find_clients
from liuke.project.errors import BackupRefused
from liuke.project.home import current
from liuke.project.startup import ready

_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
"""
_MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY 1"


def back_up(path: Path, *, force: bool, say: Say) -> Manifest:
    """Write a backup, whole or not at all; the tables are left as they are, also those of an older release.

    Raises:
        BackupRefused: the file is there already (unless `force`), cannot be written, or there is nothing to save.
    """
    if path.is_dir():
        raise BackupRefused(f"{path} is a folder; name a file in it.")
    if path.exists() and not force:
        raise BackupRefused(f"{path} is there already; name another file, or say --force.")
    with ready(say=say, migrate=False) as url, psycopg.connect(url) as connection:
        # One moment for all of it: what is counted here is what pg_dump sees.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        (snapshot,) = _row(connection, "SELECT pg_export_snapshot()")
        if _row(connection, "SELECT to_regclass('django_migrations')") == (None,):
            raise BackupRefused("There is nothing to back up: the database has no tables yet.")
        programs = find_clients(connection.info.server_version // 10_000)
        manifest = _describe(connection, programs.client_major())
        with archive.draft(path) as file, dumping.dump(url, programs, snapshot) as dump:
            say("Saving the database ...")
            return archive.write(file, manifest, dump, say)


def rows_of(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Every table and how many rows it has, without those that no backup holds."""
    found = {}
    for schema, table in connection.execute(_TABLES).fetchall():
        if table not in dumping.LEFT_OUT:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            name = table if schema == "public" else f"{schema}.{table}"
            (found[name],) = _row(connection, count)
    return found


def _describe(connection: psycopg.Connection[Any], dumped_by: int) -> Manifest:
    from liuke.base import clock, sealing

    version = connection.info.server_version
    return Manifest(
        liuke=__version__,
        made_at=clock.now().isoformat(timespec="seconds"),
        postgresql=f"{version // 10_000}.{version % 10_000}",
        dumped_by=dumped_by,
        key_fingerprint=sealing.fingerprint(current().secrets / "master.key"),
        migrations=[name for (name,) in connection.execute(_MIGRATIONS).fetchall()],
        tables=rows_of(connection),
    )


def _row(connection: psycopg.Connection[Any], statement: Any) -> tuple[Any, ...]:
    found = connection.execute(statement).fetchone()
    assert found is not None
    return tuple(found)
