"""`liuke serve`: the database, its tables, then the site and its worker, until somebody says stop."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from liuke.project.errors import CannotStart
from liuke.project.home import Home, current, explained
from liuke.project.postgres import Lease, acquire, revive
from liuke.project.supervisor import Part, Stopped, Supervisor, Watch, require_free_port


def serve(host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; everything has stopped when this returns."""
    home = current().ensure()
    with only_one(home):
        require_free_port(host, port)
        site = Site(home, host, port, say)
        with site.supervisor.listening(), contextlib.suppress(Stopped):
            site.run()


class Site:
    """What one `liuke serve` runs."""

    def __init__(self, home: Home, host: str, port: int, say: Callable[[str], None]) -> None:
        self.home, self.host, self.port, self.say = home, host, port, say
        liuke = [sys.executable, "-m", "liuke"]
        web = [sys.executable, "-m", "liuke.project.processes", "web", host, str(port)]
        # Like every command it brings the tables up to date; then it sees that somebody may sign in.
        self.prepare = Part("prepare", [*liuke, "operator", "first"])
        self.supervisor = Supervisor(
            [Part("web", web), Part("worker", [*liuke, "worker"])],
            say=say,
            changed=self.write_state,
        )
        self.lease: Lease | None = None
        self.began = time.time()
        self._greeting = Watch(self._greet, every=0.2)
        self._database_pause = 0.0

    @property
    def url(self) -> str:
        shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"

    def run(self) -> None:
        self.write_state()
        self.lease = acquire(self.home, say=self.say, tick=self.supervisor.check)
        try:
            if self.supervisor.run_once(self.prepare):
                raise CannotStart(
                    "The database could not be brought up to date; the reason is above."
                )
            self.supervisor.watches.append(self._greeting)
            if self.lease.cluster:
                self.supervisor.watches.append(Watch(self._look_at_database))
            self.supervisor.run()
        finally:
            self.lease.release()
            self.home.state.unlink(missing_ok=True)

    def write_state(self) -> None:
        """For `liuke doctor`. A full disk must not stop the site from running."""
        state = {
            "pid": os.getpid(),
            "url": self.url,
            "began_at": self.began,
            "parts": {p.name: p.process.pid for p in self.supervisor.parts if p.process},
            "restarts": {p.name: p.restarts for p in self.supervisor.parts},
        }
        draft = self.home.state.with_suffix(".new")
        with contextlib.suppress(OSError):
            draft.write_text(json.dumps(state), encoding="utf-8")
            draft.replace(self.home.state)

    def _greet(self) -> None:
        if answers(self.host, self.port):
            self.say(f"Liuke is serving {self.url} (stop with Ctrl-C).")
            self.supervisor.watches.remove(self._greeting)

    def _look_at_database(self) -> None:
        """Somebody killed it: bring it back; the parts reconnect or are started again."""
        cluster = self.lease.cluster if self.lease else None
        if cluster is None or time.monotonic() < self._database_pause or cluster.answers():
            return
        self.say("The database went away; starting it again ...")
        try:
            revive(cluster)
            self.say("The database is back.")
        except CannotStart as error:
            self.say(str(error))
            self._database_pause = time.monotonic() + 10


def answers(host: str, port: int) -> bool:
    """Whether the site says it is healthy, asked over a plain socket: an HTTP library costs the supervisor 10 MB."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    known = os.environ.get("LIUKE_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".")
    name = "127.0.0.1" if known in ("", "*") else known
    try:
        with socket.create_connection((host, port), timeout=2) as knock:
            knock.sendall(f"GET /healthz HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
            return b" 200 " in knock.recv(64)
    except OSError:
        return False


@contextlib.contextmanager
def only_one(home: Home) -> Iterator[None]:
    """Nothing else may serve from this home meanwhile; says who does."""
    with explained(home.path):
        lock = os.open(home.run / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                f"Liuke is already serving {_url_of(home.state)} from {home.path}; stop it with `liuke doctor --stop`."
            ) from error
        yield
    finally:
        os.close(lock)


def _url_of(state: Path) -> str:
    try:
        return str(json.loads(state.read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        return "the site"
