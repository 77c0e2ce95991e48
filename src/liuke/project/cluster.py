"""One PostgreSQL cluster of our own: made, started, watched and stopped.

Life is judged by whether it answers (`pg_isready`), never by a process number: a number may be a zombie's or
someone else's. Callers hold the start lock (see `postgres`), so two of these never work on one folder at once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from liuke.project import diagnosis, proc
from liuke.project.binaries import (
    Owner,
    Programs,
    clean_environment,
    find_programs,
    locale_arguments,
    server_owner,
)
from liuke.project.errors import CannotStart
from liuke.project.home import Home, explained, write_private
from liuke.project.tuning import server_settings

PORT = 5432  # names the socket file; nothing listens on a network
START_SECONDS = 600.0  # recovery after a crash replays the log: let it
HELD_SECONDS = 30.0
STOP_SECONDS = 60.0
LONGEST_SOCKET_FOLDER = 88  # the kernel allows 107 bytes (103 on macOS) with the file's name
LOG_BYTES = 10 * 1024 * 1024
SECRET = "postgres.password"


class _Server(subprocess.Popen[bytes]):
    """The server outlives whoever started it, on purpose: no warning when we let go of it."""

    def __del__(self, *_: Any) -> None:
        self.poll()


def _silent(_line: str) -> None:
    """Nobody asked to be told."""


class Cluster:
    """The database server of one home."""

    def __init__(
        self,
        home: Home,
        *,
        fsync: bool = True,
        say: Callable[[str], None] = _silent,
        tick: Callable[[], None] = lambda: None,
        short: Path = Path("/tmp"),
    ) -> None:
        self.home = home
        self.say = say
        self.tick = tick  # called while waiting; may raise to give up
        self._fsync = fsync
        self._short = short
        self._found: Programs | None = None
        self._child: _Server | None = None

    @property
    def programs(self) -> Programs:
        self._found = self._found or find_programs()
        return self._found

    @property
    def socket_folder(self) -> Path:
        """In the home when the path is short enough for the kernel, else under /tmp."""
        near = self.home.postgres / "socket"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_FOLDER:
            return near
        folder = self._short / f"{self.home.tag}-{os.geteuid()}"
        if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
            raise CannotStart(
                f"The path {folder} is too long for a socket; set LIUKE_HOME to a shorter folder."
            )
        return folder

    def url(self, role: str = "liuke", database: str = "liuke") -> str:
        password = quote(self.home.secret(SECRET), safe="")
        where = quote(str(self.socket_folder), safe="")
        return f"postgresql://{role}:{password}@/{database}?host={where}&port={PORT}"

    # -- life ------------------------------------------------------------------------------------

    def is_ready(self) -> bool:
        return self._pg_isready() == 0

    def answers(self) -> bool:
        """A cheap knock for the supervisor's watch: a killed server's socket refuses at once."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.settimeout(2)
            try:
                knock.connect(str(self.socket_folder / f".s.PGSQL.{PORT}"))
            except OSError:
                return False
        return True

    def postmaster(self) -> int | None:
        """The process at the head of our server, by the mark on its command line.

        A child wears its parent's command line for a moment before it is renamed: the head is the one whose
        parent is not of them.
        """
        heads = [pid for pid, line in self._processes().items() if "cluster_name=" in line]
        return next((pid for pid in heads if proc.parent(pid) not in heads), None)

    def start(self) -> None:
        """Have the server run and answer, with our role and database in it."""
        self._require_secret()
        if self.is_ready():
            return
        self._reap()
        owner = self._prepare_folders()
        runnable = self.programs.reachable_by(owner, self.home)
        major = runnable.major()
        self._check_data(major)
        if not self.home.data.exists():
            self._initdb(runnable, owner, major)
        self._launch(runnable, owner, major)
        self._settle()

    def stop(self) -> None:
        """Stop the server and whatever a killed one left behind; nothing happens when there is none."""
        head = self.postmaster() or self._noted_pid()
        if head:
            with contextlib.suppress(ProcessLookupError):
                os.kill(head, signal.SIGINT)  # "fast": roll back, checkpoint, leave
            if not self._wait_for(lambda: self._is_gone(head), STOP_SECONDS):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(head, signal.SIGQUIT)
                self._wait_for(lambda: self._is_gone(head), 5)
        self._end_orphans()

    # -- preparing -------------------------------------------------------------------------------

    def _prepare_folders(self) -> Owner:
        home = self.home.ensure()
        owner = server_owner(home)
        with explained(home.path):
            home.postgres.mkdir(exist_ok=True, mode=0o700)
            if os.geteuid() == 0:
                os.chown(home.postgres, owner.uid, owner.gid)
        self._require_passage(owner)
        folder = self.socket_folder
        with explained(folder):
            folder.mkdir(exist_ok=True, mode=0o700)
            if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), owner.uid):
                raise CannotStart(f"{folder} belongs to someone else; remove it and start again.")
            if os.geteuid() == 0:
                os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)
            folder.chmod(0o700)
        return owner

    def _require_passage(self, owner: Owner) -> None:
        """We never open a closed folder above ours: that is for its owner to decide."""
        if os.geteuid() == 0 and not owner.may(
            "/bin/sh", "-c", 'cd "$1"', "sh", self.home.postgres
        ):
            raise CannotStart(
                f"The database runs as the user {owner.name}, who cannot pass through to {self.home.path};"
                " set LIUKE_HOME to a folder it can reach, such as /var/lib/liuke."
            )

    def _require_secret(self) -> None:
        if self.home.data.exists() and not (self.home.secrets / SECRET).exists():
            raise CannotStart(
                f"The database's password is missing: put {self.home.secrets / SECRET} back from where you kept it."
            )

    def _check_data(self, major: int) -> None:
        data = self.home.data
        if not data.exists():
            return
        try:
            made_by = (data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise CannotStart(
                f"{data} does not hold a PostgreSQL database; move that folder away and start again."
            ) from error
        if made_by != str(major):
            raise CannotStart(
                f"The data in {data} was written by PostgreSQL {made_by} and the programs are version {major};"
                f" set LIUKE_PG_BIN to the programs of version {made_by}, or dump and restore."
            )

    def _initdb(self, programs: Programs, owner: Owner, major: int) -> None:
        """Into a draft, then renamed: a set-up cut short leaves nothing that looks like a database."""
        self.say("Setting up the database ...")
        draft = self.home.postgres / "data.new"
        note = self.home.postgres / "first.password"
        with explained(self.home.path):
            shutil.rmtree(draft, ignore_errors=True)
            write_private(note, self.home.secret(SECRET))
            if os.geteuid() == 0:
                os.chown(note, owner.uid, owner.gid)
        try:
            done = subprocess.run(
                [
                    programs["initdb"], "-D", str(draft), "-U", "postgres", f"--pwfile={note}", "--data-checksums",
                    "--auth-local=scram-sha-256", "--auth-host=scram-sha-256",
                    *locale_arguments(major), *([] if self._fsync else ["--no-sync"]),
                ],
                cwd="/", env=clean_environment(), check=False, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **owner.spawn(),
            )  # fmt: skip
        finally:
            note.unlink(missing_ok=True)
        if done.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise CannotStart(diagnosis.sentence(done.stdout.decode(errors="replace"), self.home))
        with explained(self.home.path):
            draft.rename(self.home.data)

    # -- starting --------------------------------------------------------------------------------

    def _launch(self, programs: Programs, owner: Owner, major: int) -> None:
        began = told = time.monotonic()
        held_since: float | None = None
        offset = self._spawn(programs, owner, major)
        while (state := self._pg_isready()) != 0:
            self.tick()
            now = time.monotonic()
            if now - told > 5:
                told = now
                self.say(f"The database is still starting ({now - began:.0f} s) ...")
            if self._child and self._child.poll() is not None and state == 2:
                log = self._log_since(offset)
                held_since = held_since or now
                if not diagnosis.is_held(log) or now - held_since > HELD_SECONDS:
                    raise CannotStart(diagnosis.sentence(log, self.home))
                self._clear_leftovers(waited=now - held_since)
                offset = self._spawn(programs, owner, major)
            if now - began > START_SECONDS:
                raise CannotStart(
                    f"The database has not answered for {START_SECONDS:.0f} s; look in {self.home.postgres_log}."
                )
            time.sleep(0.05 if now - began < 2 else 0.2)

    def _spawn(self, programs: Programs, owner: Owner, major: int) -> int:
        """Start the server by itself (a pipe to it would hang us); returns where its part of the log begins."""
        settings = server_settings(self.home.tag, self.socket_folder, major, fsync=self._fsync)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with explained(self.home.path), self._open_log() as log:
            offset = os.fstat(log).st_size
            self._child = _Server(
                [programs["postgres"], "-D", str(self.home.data), "-p", str(PORT), *options],
                cwd="/", env=clean_environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **owner.spawn(),
            )  # fmt: skip
        return offset

    @contextlib.contextmanager
    def _open_log(self) -> Any:
        path = self.home.postgres_log
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.rename(path.with_suffix(".log.1"))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _log_since(self, offset: int) -> str:
        try:
            with self.home.postgres_log.open("rb") as log:
                log.seek(offset)
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _clear_leftovers(self, waited: float) -> None:
        """What a killed server leaves: children that still hold its memory, and a lock file naming a dead process.

        A zombie counts as alive for PostgreSQL's own check, and in a container whose first process does not reap
        it stays one for ever. So when no process of ours lives, the lock files are stale and go.
        """
        if not proc.is_readable() or self.postmaster():
            return
        if self._processes():
            if waited > 3:
                self._end_orphans()
            return
        (self.home.data / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _settle(self) -> None:
        """Our own role and database: the application is not the superuser."""
        script = f"""
            SELECT 'CREATE ROLE liuke LOGIN CREATEDB PASSWORD ''{self.home.secret(SECRET)}'''
             WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'liuke') \\gexec
            SELECT 'CREATE DATABASE liuke OWNER liuke'
             WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'liuke') \\gexec
        """
        done = subprocess.run(
            [
                self.programs["psql"], "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket_folder),
                "-p", str(PORT), "-U", "postgres", "-d", "postgres",
            ],
            input=script.encode(), capture_output=True, check=False, timeout=120,
            env={**clean_environment(), "PGPASSWORD": self.home.secret(SECRET)},
        )  # fmt: skip
        if done.returncode:
            raise CannotStart(diagnosis.sentence(done.stderr.decode(errors="replace"), self.home))

    # -- small parts -----------------------------------------------------------------------------

    def _pg_isready(self) -> int:
        """0 answers, 1 is starting or stopping, 2 nobody there."""
        done = subprocess.run(
            [self.programs["pg_isready"], "-q", "-t", "5", "-d", "postgres",
             "-h", str(self.socket_folder), "-p", str(PORT)],
            env=clean_environment(), check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode

    def _noted_pid(self) -> int | None:
        """Where /proc tells nothing: the number the server noted, believed only while the server answers."""
        if proc.is_readable() or not self.is_ready():
            return None
        try:
            return int((self.home.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _is_gone(self, pid: int) -> bool:
        self._reap()
        return not proc.is_alive(pid)

    def _processes(self) -> dict[int, str]:
        """Every process of our server: its head as we started it, its children as it names them."""
        return proc.marked(f"cluster_name={self.home.tag} ", f"postgres: {self.home.tag}: ")

    def _end_orphans(self) -> None:
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        if self._child and self._child.poll() is not None:
            self._child = None

    @staticmethod
    def _wait_for(done: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True
