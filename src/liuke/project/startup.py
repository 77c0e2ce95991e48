"""Everything a command needs before it may touch a row: the database, Django, the newest tables."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from liuke.project.errors import CannotStart
from liuke.project.postgres import database

MIGRATING = 0x6C69756B65  # "liuke": the advisory lock under which tables change


@contextlib.contextmanager
def ready(*, say: Callable[[str], None] | None = None, migrate: bool = True) -> Iterator[str]:
    """Inside: the database runs, Django is set up and every migration has been applied. Yields the URL."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liuke.project.settings")
    with database(say=say) as url:
        import django

        django.setup()
        try:
            if migrate:
                bring_up_to_date(say)
            yield url
        finally:
            _let_go()


def bring_up_to_date(say: Callable[[str], None] | None = None) -> int:
    """Apply what is missing, one process at a time; returns how many migrations that were."""
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    if not _missing():
        return 0
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        try:
            count = _missing()
            if count:
                if say:
                    say(f"Bringing the database up to date ({count} steps) ...")
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
    except DatabaseError as error:
        raise CannotStart(
            f"The database could not be brought up to date ({_line(error)})."
        ) from error
    return count


def _missing() -> int:
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        raise CannotStart(f"The database does not answer ({_line(error)}).") from error
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _let_go() -> None:
    """Close this process's connections before the server they lead to may stop."""
    from django.db import connections

    connections.close_all()
    for connection in connections.all(initialized_only=True):
        close_pool = getattr(connection, "close_pool", None)
        if close_pool:
            close_pool()
