"""`liuke doctor`: what runs, where things are, what is wrong and what to do next."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from liuke import __version__
from liuke.project import proc
from liuke.project.cluster import Cluster
from liuke.project.errors import CannotStart
from liuke.project.home import Home, current
from liuke.project.postgres import VARIABLE, is_used, require_version, stop_server, without_password
from liuke.project.serve import answers

LOW_DISK = 500 * 1024 * 1024
MANY_WAITING = 10_000
LATE_SECONDS = 600

COUNTS = {
    "events_pending": "SELECT count(*) FROM events_pending",
    "events_failing": "SELECT count(*) FROM events_pending WHERE attempts > 3",
    "jobs_waiting": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'",
    "jobs_running": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'",
    "jobs_failed": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'",
}


@dataclass
class Running:
    """One of our processes, with all below it."""

    name: str
    pid: int
    seconds: float | None
    bytes: int | None


@dataclass
class Found:
    """What the doctor saw."""

    state: str = "stopped"
    processes: list[Running] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        lines = [f"Liuke is {self.state}."]
        for one in self.processes:
            lines.append(
                f"  {one.name:<11} pid {one.pid:<8} up {_span(one.seconds):<9} memory {_size(one.bytes)}"
            )
        lines += [
            "",
            *(f"  {name:<11} {value}" for name, value in {**self.places, **self.versions}.items()),
        ]
        lines += [
            f"  {name:<15} {_size(n) if 'bytes' in name else n}" for name, n in self.numbers.items()
        ]
        lines += (
            ["", *(f"! {sentence}" for sentence in self.wrong)]
            if self.wrong
            else ["", "Nothing is wrong."]
        )
        return "\n".join(lines)


def examine(home: Home | None = None) -> Found:
    """Look, and change nothing."""
    home = home or current()
    found = Found()
    found.places = {"home": str(home.path), "logs": str(home.logs)}
    found.versions = {"liuke": __version__, "python": platform.python_version()}
    try:
        serving = _look_at_processes(home, found)
        _look_at_database(home, found, serving)
        _look_at_lakes(home, found)
        _look_at_disk(home, found)
    except (CannotStart, OSError) as error:
        found.wrong.append(str(error))
    return found


def stop_everything(say: Callable[[str], None], home: Home | None = None) -> None:
    """The supervisor first, so that it starts nothing again; then the server, whoever left it behind."""
    home = home or current()
    if not home.path.is_dir():
        return
    supervisor, parts = _serving(home)
    if supervisor:
        say(f"Stopping the site (pid {supervisor}) ...")
        _end(supervisor, [signal.SIGTERM, signal.SIGKILL], 8)
        for pid in parts.values():
            _end(pid, [signal.SIGKILL], 2)
    home.state.unlink(missing_ok=True)
    cluster = Cluster(home)
    if home.data.exists() and cluster.postmaster():
        say("Stopping the database ...")
    if home.data.exists():
        stop_server(home)


def _serving(home: Home) -> tuple[int | None, dict[str, int]]:
    """The supervisor and its parts, believed only while the process that is named looks like ours."""
    try:
        state = json.loads(home.state.read_text(encoding="utf-8"))
        pid, parts = int(state["pid"]), {str(k): int(v) for k, v in state["parts"].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return None, {}
    return (pid if _is_ours(pid) else None), {k: v for k, v in parts.items() if _is_ours(v)}


def _is_ours(pid: int) -> bool:
    return proc.is_alive(pid) and ("liuke" in proc.command(pid) or not proc.is_readable())


def _look_at_processes(home: Home, found: Found) -> bool:
    pid, parts = _serving(home)
    if pid is None:
        if parts:
            found.wrong.append(
                "Parts of a site that was killed still run; stop them with `liuke doctor --stop`."
            )
        elif home.state.exists():
            found.wrong.append(
                "The site was killed the last time; nothing is left of it, `liuke serve` starts it again."
            )
        return False
    state = json.loads(home.state.read_text(encoding="utf-8"))
    found.state, found.places["site"] = "serving", state["url"]
    found.processes.append(_running("supervisor", [pid]))
    found.processes += [_running(name, proc.tree(part)) for name, part in parts.items()]
    for name in ("web", "worker"):
        if name not in parts:
            found.wrong.append(
                f"The {name} process is not running just now; the terminal of `liuke serve` says why."
            )
    host, port = state["url"].removeprefix("http://").rsplit(":", 1)
    if "web" in parts and not answers(host.strip("[]"), int(port)):
        found.wrong.append(
            f"The site does not answer at {state['url']}; restart it if that lasts longer than a minute."
        )
    return True


def _look_at_database(home: Home, found: Found, serving: bool) -> None:
    url = os.environ.get(VARIABLE)
    if not url:
        if not home.data.exists():
            found.places["database"] = "none yet; the first command makes it"
            return
        cluster = Cluster(home)
        found.places |= {"data": str(home.data), "socket": str(cluster.socket_folder)}
        head = cluster.postmaster()
        if not cluster.is_ready():
            found.places["database"] = "stopped"
            if serving or is_used(home):
                found.wrong.append(f"The database does not answer; its log is {home.postgres_log}.")
            elif head:
                found.wrong.append(
                    "A database server is stuck; stop it with `liuke doctor --stop`."
                )
            return
        if head:
            found.processes.append(_running("postgres", proc.tree(head)))
        if not is_used(home):
            found.wrong.append(
                "The database runs though nobody uses it (its user was killed); stop it with `liuke doctor --stop`."
            )
        url = cluster.url()
    found.places["database"] = without_password(url)
    _ask_database(url, found)


def _ask_database(url: str, found: Found) -> None:
    import psycopg

    shown = without_password(url)
    try:
        with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
            version = connection.info.server_version
            found.versions["postgresql"] = f"{version // 10_000}.{version % 10_000}"
            require_version(version // 10_000, shown)
            connection.execute("SET statement_timeout = '5s'")
            found.numbers["database bytes"] = (
                _one(connection, "SELECT pg_database_size(current_database())") or 0
            )
            for name, query in COUNTS.items():
                if (count := _one(connection, query)) is not None:
                    found.numbers[name] = count
    except psycopg.Error as error:
        why = " ".join(str(error).split()).replace(url, shown)
        found.wrong.append(f"The database at {shown} does not answer ({why}).")
    if found.numbers.get("events_pending", 0) > MANY_WAITING:
        found.wrong.append(
            "More than 10,000 events wait for their reactions; is the worker running?"
        )
    if found.numbers.get("events_failing"):
        found.wrong.append(
            "Some reactions fail again and again; `liuke events pending` shows them."
        )
    if found.numbers.get("jobs_failed"):
        found.wrong.append("Some jobs failed for good; the worker's output says why.")


def _one(connection: Any, query: str) -> int | None:
    """A number, or None when the tables are not there yet."""
    import psycopg

    try:
        return int(connection.execute(query).fetchone()[0])
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.InsufficientPrivilege,
    ):
        return None


def _look_at_lakes(home: Home, found: Found) -> None:
    from liuke.analytics.lake.layout import lakes

    for lake in lakes(home.path):
        drifted = (lake.nightly() or {}).get("drift", {}).get("drifted", 0)
        if drifted:
            found.wrong.append(
                f"The running figures of {drifted} members differ from last night's count of {lake.place};"
                " `liuke rebuild facts` recounts them, `liuke rebuild lake` compares again."
            )


def _look_at_disk(home: Home, found: Found) -> None:
    place = home.path
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    found.numbers["free bytes"] = free
    if free < LOW_DISK:
        found.wrong.append(f"Only {_size(free)} are free on the disk of {home.path}; make room.")
    if home.path.exists() and not os.access(home.run, os.W_OK):
        found.wrong.append(f"You may not write to {home.path}; run Liuke as its owner.")


def _running(name: str, pids: list[int]) -> Running:
    known = [size for pid in pids if (size := proc.memory(pid)) is not None]
    return Running(name, pids[0], proc.uptime(pids[0]), sum(known) if known else None)


def _end(pid: int, signals: list[signal.Signals], seconds: float) -> None:
    for number in signals:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while proc.is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not proc.is_alive(pid):
            return


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s"


def _size(size: int | None) -> str:
    if size is None:
        return "unknown"
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.1f} MB"
