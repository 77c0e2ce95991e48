"""Have a database while it is needed: an operator's own server, or ours for as long as somebody uses it.

With `LIUKE_DATABASE_URL` set, that server is checked and used. Otherwise every process that needs the database
holds a shared lock on `run/users.lock`; who comes first starts the server and who leaves last stops it. The kernel
lets go of a killed process's lock, so nobody has to believe a list of process numbers. Starting and stopping
happen under `run/start.lock`, one at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from liuke.project.binaries import OLDEST
from liuke.project.cluster import Cluster
from liuke.project.errors import CannotStart
from liuke.project.home import Home, current, explained

VARIABLE = "LIUKE_DATABASE_URL"
LOCK_SECONDS = 660.0  # a little more than the longest start


@dataclass
class Lease:
    """The right to use the database, until `release`."""

    url: str
    cluster: Cluster | None = None  # None: the operator's own server
    _users: int | None = None  # descriptor of the shared lock
    _before: str | None = None
    _count: int = field(default=1)

    def release(self) -> None:
        """Let go; the last process out stops the server."""
        self._count -= 1
        if self._count or self.cluster is None or self._users is None:
            return
        _leases.pop(self.cluster.home.path, None)
        _set_variable(self._before)
        users, self._users = self._users, None
        try:
            with start_lock(self.cluster.home):
                if _try_lock(users, fcntl.LOCK_EX):
                    self.cluster.stop()
        finally:
            os.close(users)


_leases: dict[Path, Lease] = {}


@contextlib.contextmanager
def database(
    home: Home | None = None,
    *,
    fsync: bool = True,
    say: Callable[[str], None] | None = None,
) -> Iterator[str]:
    """The URL of a running database; inside, `LIUKE_DATABASE_URL` holds it for this process and its children."""
    lease = acquire(home, fsync=fsync, say=say)
    try:
        yield lease.url
    finally:
        lease.release()


def acquire(
    home: Home | None = None,
    *,
    fsync: bool = True,
    say: Callable[[str], None] | None = None,
    tick: Callable[[], None] | None = None,
    patience: float = LOCK_SECONDS,
) -> Lease:
    """Take a lease, starting our server when it does not run. `fsync=False` is for tests only."""
    home = home or current()
    named = os.environ.get(VARIABLE)
    held = _leases.get(home.path)
    if held and named == held.url:
        held._count += 1
        return held
    if named:
        check_server(named)
        return Lease(named)
    cluster = Cluster(home.ensure(), fsync=fsync)
    cluster.say, cluster.tick = say or cluster.say, tick or cluster.tick
    with start_lock(home, patience):
        users = _open(home, "users.lock")
        try:
            fcntl.flock(users, fcntl.LOCK_SH)
            cluster.start()
            lease = Lease(cluster.url(), cluster, users, named)
        except BaseException:
            if _try_lock(users, fcntl.LOCK_EX):
                cluster.stop()
            os.close(users)
            raise
    _leases[home.path] = lease
    _set_variable(lease.url)
    return lease


def revive(cluster: Cluster) -> None:
    """Start our server again under a lease that is already held: somebody killed it."""
    with start_lock(cluster.home):
        cluster.start()


def stop_server(home: Home, patience: float = LOCK_SECONDS) -> None:
    """Stop our server whoever uses it, and what a killed one left behind."""
    with start_lock(home.ensure(), patience):
        Cluster(home).stop()


def is_used(home: Home) -> bool:
    """Whether some process holds a lease."""
    if not (home.run / "users.lock").exists():
        return False
    probe = _open(home, "users.lock")
    try:
        return not _try_lock(probe, fcntl.LOCK_EX)
    finally:
        os.close(probe)


@contextlib.contextmanager
def start_lock(home: Home, patience: float = LOCK_SECONDS) -> Iterator[None]:
    """One start or stop at a time."""
    lock = _open(home, "start.lock")
    try:
        deadline = time.monotonic() + patience
        while not _try_lock(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"Another Liuke process has been starting or stopping the database for {patience:.0f} s;"
                    " see `liuke doctor`, end that process and start again."
                )
            time.sleep(0.05)
        yield
    finally:
        os.close(lock)


def check_server(url: str) -> None:
    """Whether an operator's own server can be used; in one sentence when not."""
    import psycopg

    shown = without_password(url)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.Error as error:
        why = " ".join(str(error).split()).replace(url, shown)
        raise CannotStart(
            f"The database that {VARIABLE} names, {shown}, cannot be reached ({why}); start it or correct the address."
        ) from error
    require_version(version, shown)


def require_version(version: int, shown: str) -> None:
    if version < OLDEST:
        raise CannotStart(
            f"The database that {VARIABLE} names, {shown}, is PostgreSQL {version}; Liuke needs {OLDEST} or newer."
        )


def without_password(url: str) -> str:
    """The address as it may be shown."""
    url = re.sub(r"(://[^:/@]*):[^@]*@", r"\1@", url)
    return re.sub(r"(password=)('[^']*'|[^\s&]+)", r"\1***", url)


def _set_variable(value: str | None) -> None:
    if value is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = value


def _open(home: Home, name: str) -> int:
    with explained(home.path):
        return os.open(home.run / name, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
