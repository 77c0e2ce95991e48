"""How do pg_dump and pg_restore run? As streams, and with no password where `ps` could show it."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from liuke.project import diagnosis
from liuke.project.binaries import Programs, clean_environment
from liuke.project.errors import BackupRefused

# Who was signed in is nobody's business a week later; everybody signs in again.
LEFT_OUT = ("django_session",)
_AT_ONCE = 256 * 1024


def named(url: str, database: str) -> str:
    """The same server, another database."""
    return make_conninfo(**{**conninfo_to_dict(url), "dbname": database})  # type: ignore[arg-type]


@contextlib.contextmanager
def dump(url: str, programs: Programs, snapshot: str) -> Iterator[IO[bytes]]:
    """The bytes of a dump as a transaction of that snapshot sees the database.

    Raises:
        BackupRefused: pg_dump failed; its own words are in the sentence.
    """
    command = [
        programs["pg_dump"],
        "--format=custom",
        f"--snapshot={snapshot}",
        "--lock-wait-timeout=60000",
        *(f"--exclude-table-data={table}" for table in LEFT_OUT),
    ]
    with _running(command, url, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout


def restore(url: str, programs: Programs, stream: IO[bytes]) -> None:
    """Put a dump into an empty database: all of it, in one transaction.

    Raises:
        BackupRefused: pg_restore failed; its own words are in the sentence.
    """
    command = [
        programs["pg_restore"],
        "--exit-on-error",
        "--single-transaction",
        "--no-owner",
        "--no-privileges",
        "--no-comments",
    ]
    with _running(command, url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended early: its exit code tells
            while some := stream.read(_AT_ONCE):
                process.stdin.write(some)
            process.stdin.close()


@contextlib.contextmanager
def _running(
    command: list[str], url: str, *, stdin: int, stdout: int
) -> Iterator[subprocess.Popen[bytes]]:
    parts = conninfo_to_dict(url)
    password = str(parts.pop("password", "") or "")
    command = [*command, "--no-password", f"--dbname={make_conninfo(**parts)}"]  # type: ignore[arg-type]
    env = {**clean_environment(), **({"PGPASSWORD": password} if password else {})}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=said, env=env)
        try:
            with process:
                yield process
        except BaseException:
            process.kill()
            raise
        if process.returncode:
            said.seek(0)
            words = diagnosis.worst(said.read().decode(errors="replace"))
            raise BackupRefused(f"PostgreSQL could not do it ({words}).")
