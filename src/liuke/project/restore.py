"""`liuke restore FILE`: put a backup back, beside what is there, and let it take its place only when it is sound.

The dump goes into a database of its own, is brought up to date and looked at there, and then the two change names in
one transaction. Whatever fails or is killed before that leaves the old one as it was.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from liuke import __version__
from liuke.project import archive, dumping
from liuke.project.archive import Manifest, Say
from liuke.project.backup import rows_of
from liuke.project.binaries import find_clients
from liuke.project.errors import BackupRefused
from liuke.project.home import Home, current
from liuke.project.postgres import VARIABLE, database
from liuke.project.serve import only_one
from liuke.project.startup import bring_up_to_date, ready

_TELLS_OF_A_SITE = ("people_member", "people_login", "analytics_source", "events_event")
LEAVING_SECONDS = 3.0  # for the connections of a process that has just ended
_NAME_LETTERS = 50  # of 63: a suffix follows

_MAY = """
SELECT (r.rolsuper OR r.rolcreatedb) AND pg_has_role(d.datdba, 'USAGE')
FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()
"""
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_END_OURS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND usename = current_user
"""
_LOCALE = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider::text, to_jsonb(d)->>'datlocale',
       to_jsonb(d)->>'daticulocale'
FROM pg_database d WHERE datname = current_database()
"""


@dataclass(frozen=True)
class Restored:
    """What came back, and how many promises hold."""

    manifest: Manifest
    promises: int
    broken: list[str]
    is_outreach_stopped: bool


def put_back(path: Path, *, replace: bool, without_key: bool, say: Say) -> Restored:
    """Restore a backup.

    Raises:
        BackupRefused: the file is damaged or of a newer release; the database holds a site (unless `replace`), is in
            use or may not be replaced by this user; the master key is another one (unless `without_key`).
        CannotStart: the site is being served from this home, or there is no server.
    """
    say("Checking the backup ...")
    manifest = archive.read(path, say)
    _refuse_newer(manifest)
    home = current().ensure()
    _refuse_other_key(manifest, home, without_key, say)
    with only_one(home), database(home, say=say) as url:
        with psycopg.connect(url, autocommit=True) as site:
            _refuse_occupied(site, replace)
            _refuse_server(site, manifest)
            beside = _Beside(url, site)
        with beside.made():
            _fill(beside, path, manifest, say)
            with _pointing_to(beside.url):
                restored = _finish(manifest, say)
            beside.take_its_place()
    return restored


# What stands against it ---------------------------------------------------------------------------


def _refuse_newer(manifest: Manifest) -> None:
    def numbers(version: str) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", version)]

    if numbers(manifest.liuke) > numbers(__version__):
        raise BackupRefused(
            f"This backup was made by Liuke {manifest.liuke} and this is {__version__}; install that one first."
        )


def _refuse_other_key(manifest: Manifest, home: Home, without_key: bool, say: Say) -> None:
    from liuke.base import sealing

    here = sealing.fingerprint(home.secrets / "master.key")
    if manifest.key_fingerprint in (None, here):
        return
    if without_key:
        say("The phone numbers in this backup cannot be read without its master key.")
        return
    what = "another master key is" if here else "no master key is"
    raise BackupRefused(
        f"The phone numbers in this backup are sealed with a master key, and {what} in {home.secrets}; put the right"
        " one there (`liuke key import`), or say --without-key and do without the numbers."
    )


def _refuse_occupied(site: psycopg.Connection[Any], replace: bool) -> None:
    rows = {table: _count(site, table) for table in _TELLS_OF_A_SITE}
    if any(rows.values()) and not replace:
        raise BackupRefused(
            f"There is a site in this database ({rows['people_member']:,} members, {rows['people_login']} logins);"
            " say --replace to put the backup in its place."
        )
    deadline = time.monotonic() + LEAVING_SECONDS
    while others := _one(site, _OTHERS):
        if time.monotonic() > deadline:
            raise BackupRefused(
                f"The database is in use by others ({others} connections); end them (`liuke doctor` shows what runs)"
                " and try again."
            )
        time.sleep(0.1)


def _refuse_server(site: psycopg.Connection[Any], manifest: Manifest) -> None:
    version = site.info.server_version // 10_000
    if version < int(manifest.postgresql.split(".")[0]):
        raise BackupRefused(
            f"This backup is of PostgreSQL {manifest.postgresql} and the server here is {version}; use a newer one."
        )
    if not _one(site, _MAY):
        raise BackupRefused(
            f"The user {site.info.user} may not make a database and put it in place of {site.info.dbname}: give it"
            " CREATEDB and make it the owner, for as long as the restore takes."
        )


# Doing it -----------------------------------------------------------------------------------------


class _Beside:
    """A database beside the site's own, made like it, which may take its place."""

    def __init__(self, url: str, site: psycopg.Connection[Any]) -> None:
        self.name = site.info.dbname
        stem = self.name[:_NAME_LETTERS]
        self.beside, self.old = f"{stem}_restoring", f"{stem}_replaced"
        self.url = dumping.named(url, self.beside)
        # Names are changed from outside: nobody may be connected to either.
        self._outside = dumping.named(url, "template1" if self.name == "postgres" else "postgres")
        self._like = _locale(site)

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        """Inside: it is there and empty. Afterwards neither it nor what it replaced is."""
        self._drop()  # what a killed restore left
        self._run(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(self.beside), self._like))
        try:
            yield
        finally:
            self._drop()

    def take_its_place(self) -> None:
        """Both names at once, or neither."""
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        names = [(self.name, self.old), (self.beside, self.name)]
        try:
            with psycopg.connect(self._outside) as outside:
                for name, new in names:
                    outside.execute(rename.format(sql.Identifier(name), sql.Identifier(new)))
        except psycopg.Error as error:
            raise BackupRefused(
                f"The restored database could not take the place of the old one ({_line(error)}); nothing was changed."
            ) from error

    def _run(self, *statements: sql.Composed) -> None:
        try:
            with psycopg.connect(self._outside, autocommit=True) as outside:
                for statement in statements:
                    outside.execute(statement)
        except psycopg.Error as error:
            raise BackupRefused(f"The database server refused ({_line(error)}).") from error

    def _drop(self) -> None:
        """Not WITH (FORCE): that fails when autovacuum is there, whom only a superuser may end."""
        for name in (self.beside, self.old):
            self._run(
                sql.SQL(_END_OURS).format(sql.Literal(name)),
                sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)),
            )


def _fill(beside: _Beside, path: Path, manifest: Manifest, say: Say) -> None:
    say(f"Restoring {sum(manifest.tables.values()):,} rows ...")
    with psycopg.connect(beside.url, autocommit=True) as empty:
        programs = find_clients(empty.info.server_version // 10_000, manifest.dumped_by)
    with archive.opened(path) as dump:
        dumping.restore(beside.url, programs, dump)
    with psycopg.connect(beside.url, autocommit=True) as filled:
        if rows_of(filled) != manifest.tables:
            raise BackupRefused("Not every row came back; nothing was changed.")
        filled.execute("ANALYZE")


def _finish(manifest: Manifest, say: Say) -> Restored:
    """In the restored database: today's tables, what was under way brought to an end, every promise checked."""
    with ready(say=say, migrate=False):
        from liuke.interfaces.cli.audit import check_everything

        _refuse_unknown_migrations(manifest)
        bring_up_to_date(say)
        is_stopped = _settle()
        say("Checking every promise ...")
        findings = check_everything()
    broken = [finding.invariant.name for finding in findings if finding.violations]
    return Restored(manifest, len(findings), broken, is_stopped)


def _refuse_unknown_migrations(manifest: Manifest) -> None:
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    known = {".".join(name) for name in MigrationLoader(connection).disk_migrations}
    if set(manifest.migrations) - known:
        raise BackupRefused("This backup was made by a newer Liuke; install that one first.")


def _settle() -> bool:
    """New events get new numbers, no message is left half sent, reactions that waited run.

    Where there are plans outreach is stopped, because what was sent after the backup is not known here and nobody may
    get it twice; whether it was.
    """
    from liuke.engagement.actions.policy import stop_everything
    from liuke.engagement.actions.recover import recover_unfinished
    from liuke.engagement.models import Plan
    from liuke.events.actions import resume_after_restore
    from liuke.events.dispatcher import dispatch_pending

    resume_after_restore()
    recover_unfinished(after=dt.timedelta(0))
    has_plans = Plan.objects.exists()
    if has_plans:
        stop_everything(by=None)
    dispatch_pending()
    return has_plans


@contextlib.contextmanager
def _pointing_to(url: str) -> Iterator[None]:
    """Everything that asks for the site's database gets this one."""
    before = os.environ[VARIABLE]
    os.environ[VARIABLE] = url
    try:
        yield
    finally:
        os.environ[VARIABLE] = before


def _locale(site: psycopg.Connection[Any]) -> sql.Composed:
    """Encoding and locale of the database, as words of CREATE DATABASE."""
    found = site.execute(_LOCALE).fetchone()
    assert found is not None
    encoding, collate, ctype, provider, locale, icu = found
    words = {"ENCODING": encoding, "LC_COLLATE": collate, "LC_CTYPE": ctype}
    if provider == "b":
        words |= {"LOCALE_PROVIDER": "builtin", "BUILTIN_LOCALE": locale}
    if provider == "i":
        words |= {"LOCALE_PROVIDER": "icu", "ICU_LOCALE": locale or icu}
    parts = [sql.SQL(f"{name} {{}}").format(sql.Literal(value)) for name, value in words.items()]
    return sql.SQL("TEMPLATE template0 ") + sql.SQL(" ").join(parts)


def _count(site: psycopg.Connection[Any], table: str) -> int:
    if _one(site, f"SELECT to_regclass('{table}')") is None:
        return 0
    return int(_one(site, f"SELECT count(*) FROM {table}"))


def _one(site: psycopg.Connection[Any], statement: str) -> Any:
    found = site.execute(statement).fetchone()
    assert found is not None
    return found[0]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
