"""A real `liuke serve` in a home of its own, and this process beside it on the same database."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liuke.project import proc
from liuke.project.home import Home
from liuke.project.postgres import database
from liuke.project.serve import answers

STARTING_SECONDS = 90.0


@dataclass
class Site:
    """What is running. `said` is what the supervisor wrote."""

    process: subprocess.Popen[bytes]
    home: Home
    port: int
    database: str

    @property
    def said(self) -> Path:
        return self.home.path.parent / "said"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_again(self) -> None:
        """What systemd does when the supervisor was killed. Its children have gone with it."""
        self.process.wait(30)
        self.process = _start(self.home.path.parent, self.port)

    def memory_mb(self) -> dict[str, int]:
        """What each process holds for itself (PSS: pages shared by several are divided), by its name."""
        found: dict[str, int] = {}
        for pid in proc.tree(self.process.pid):
            with contextlib.suppress(OSError, StopIteration):
                name = _name(proc.command(pid))
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
                size = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                found[name] = found.get(name, 0) + size
        return {name: round(size / 1024) for name, size in sorted(found.items())}

    def cpu_seconds(self, name: str) -> float:
        """What all processes of a name have computed so far."""
        ticks = 0
        for pid in proc.tree(self.process.pid):
            with contextlib.suppress(OSError):
                if _name(proc.command(pid)) == name:
                    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
                    ticks += sum(int(each) for each in stat.rpartition(")")[2].split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(gateways: str = "wallet", **more: str) -> Iterator[Site]:
    """The site with its worker and its own PostgreSQL (fsync on); Django is set up in this process too."""
    folder = Path(tempfile.mkdtemp(prefix="liuke-bench-", dir="/tmp"))
    folder.chmod(0o755)
    home, port = Home(folder / "home"), free_port()
    os.environ.pop("LIUKE_DATABASE_URL", None)
    os.environ |= {
        "LIUKE_HOME": str(home.path),
        "LIUKE_LOG": "ERROR",
        "LIUKE_GATEWAYS": gateways,
        "LIUKE_SITE_URL": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "liuke.project.settings",
        **more,
    }
    site = Site(_start(folder, port), home, port, database="")
    try:
        _wait_for(site.process, port, folder / "said")
        with database(home) as url, django():
            site.database = url
            yield site
    finally:
        site.process.send_signal(signal.SIGTERM)
        site.process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def django() -> Iterator[None]:
    """Django in this process, letting go of its connections in the end."""
    import django as framework

    framework.setup()
    from django.db import connection

    yield
    connection.close()
    connection.close_pool()


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def load() -> float:
    """How many processes wanted to run in the last minute: the machine may be shared."""
    return round(os.getloadavg()[0], 1)


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    with (folder / "said").open("a") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "liuke", "serve", "--port", str(port)], stdout=out, stderr=out
        )


def _wait_for(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while not answers("127.0.0.1", port):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"the site did not start: {said.read_text()}")
        time.sleep(0.1)


def _name(command: str) -> str:
    for mark in ("liuke serve", "liuke worker", "liuke sandbox", "processes web"):
        if mark in command:
            return mark.split()[-1]
    return "postgres" if "postgres" in command else "web"


def sign_in(member: Any) -> str:
    """A session as the door begins it; the cookie's value."""
    from django.contrib.sessions.backends.db import SessionStore

    from liuke.base import clock

    session = SessionStore()
    session["member"], session["since"] = member.person_id, clock.now().isoformat()
    session.set_expiry(24 * 3600)
    session.create()
    return str(session.session_key)
