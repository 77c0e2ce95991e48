"""Worker processes that can be started in milliseconds and killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parent.parent


def child_url() -> str:
    """The database of this process, as libpq writes it."""
    from django.db import connection

    names = {
        "NAME": "dbname",
        "USER": "user",
        "PASSWORD": "password",
        "HOST": "host",
        "PORT": "port",
    }
    given = {ours: connection.settings_dict[theirs] for theirs, ours in names.items()}
    return make_conninfo("", **{key: value for key, value in given.items() if value})


class Nursery:
    """One process that has loaded Django and forks workers: a new one costs milliseconds.

    `module` is run as `python -m module *words` and has to call `raise_children`.
    """

    def __init__(self, module: str, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env={**os.environ, "LIUKE_DATABASE_URL": child_url()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.alive: list[int] = []

    def start(self) -> None:
        """One more worker."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("fork\n")
        self.process.stdin.flush()
        self.alive.append(int(self.process.stdout.readline()))

    def kill(self, nth: int) -> None:
        """SIGKILL, in the middle of whatever it does."""
        os.kill(self.alive.pop(nth), signal.SIGKILL)

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        """Closing its input ends the nursery, and with it all its workers."""
        self.process.communicate(timeout=30)


def raise_children(
    work: Callable[[threading.Event], None], warm: Callable[[], None] = lambda: None
) -> None:
    """The main program of a nursery: forks a worker for every line it reads; SIGTERM sets the event.

    `warm` loads what a worker would load first; it leaves no connection and no thread behind.
    """
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liuke.project.settings")
    django.setup()
    warm()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    os.setpgid(0, 0)
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            _grow_up(work)
        print(pid, flush=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


def _grow_up(work: Callable[[threading.Event], None]) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    work(stop)
    os._exit(0)
