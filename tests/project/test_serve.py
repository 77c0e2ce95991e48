"""The whole site as an operator meets it: it comes up, takes blows, says what is wrong, and stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from liuke.project import proc
from liuke.project.cluster import Cluster
from liuke.project.doctor import examine, stop_everything
from liuke.project.home import Home
from liuke.project.serve import answers

from .conftest import Python

pytestmark = pytest.mark.crash
ROOT = Path(__file__).resolve().parents[2]


def wait_for(what: str, true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.1)


@dataclass
class Site:
    process: subprocess.Popen[bytes]
    port: int
    said: Path

    @property
    def answers(self) -> bool:
        return answers("127.0.0.1", self.port)


@pytest.fixture
def serve(home: Home, tmp_path: Path) -> Iterator[Callable[[], Site]]:
    """Starts `liuke serve` and waits until it serves."""
    sites: list[Site] = []

    def start() -> Site:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        said = tmp_path / f"said-{len(sites)}"
        with said.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "liuke", "serve", "--port", str(port)],
                env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
                stdout=out,
                stderr=out,
            )
        sites.append(Site(process, port, said))
        greeting = f"serving http://127.0.0.1:{port}"
        wait_for("serving", lambda: greeting in said.read_text(), 90)
        return sites[-1]

    yield start
    for site in sites:
        sys.stdout.write(site.said.read_text())  # pytest shows it when something failed
        site.process.kill()
        site.process.wait()
    stop_everything(lambda _line: None)


def test_a_site_survives_blows_stops_in_time_and_leaves_no_orphans(
    serve: Callable[[], Site], home: Home
) -> None:
    site = serve()
    take_blows(site, home)
    stop_politely(site, home)
    kill(serve(), home)


def take_blows(site: Site, home: Home) -> None:
    found = examine()
    assert (found.state, found.wrong) == ("serving", [])
    pids = {one.name: one.pid for one in found.processes}
    assert set(pids) == {"supervisor", "web", "worker", "postgres"}
    assert all(one.bytes and one.bytes > 2**20 for one in found.processes)
    assert found.numbers["events_pending"] == 0

    cluster = Cluster(home)
    os.kill(pids["postgres"], signal.SIGKILL)
    wait_for("its return", lambda: cluster.postmaster() not in (None, pids["postgres"]))
    wait_for("its answer", cluster.is_ready)
    os.kill(pids["web"], signal.SIGKILL)
    wait_for("the old site's end", lambda: not site.answers, 5)
    wait_for("the site's return", lambda: site.answers)


def stop_politely(site: Site, home: Home) -> None:
    everyone = proc.tree(site.process.pid)
    assert len(everyone) > 5
    began = time.monotonic()
    site.process.terminate()
    assert site.process.wait(10) == 0
    assert time.monotonic() - began < 5
    assert [pid for pid in everyone if proc.is_alive(pid)] == []
    assert not Cluster(home).is_ready()
    assert examine().state == "stopped"


def kill(site: Site, home: Home) -> None:
    everyone = [pid for pid in proc.tree(site.process.pid) if "postgres" not in proc.command(pid)]
    site.process.kill()
    site.process.wait()
    wait_for("the others' end", lambda: not any(proc.is_alive(pid) for pid in everyone), 3)
    assert any("was killed" in sentence for sentence in examine().wrong)
    stop_everything(lambda _line: None)
    assert not Cluster(home).is_ready()
    assert examine().wrong == []


def test_the_doctor_finds_and_stops_a_server_that_nobody_uses(own: Python, made: Home) -> None:
    assert examine().wrong == []
    user = own.start(
        "import time\n"
        "from liuke.project.postgres import acquire\n"
        "acquire(fsync=False)\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    assert user.stdout
    assert user.stdout.readline() == "up\n"
    assert examine().wrong == []
    user.kill()
    user.wait()
    seen = json.loads(examine().as_json())
    assert "nobody uses it" in seen["wrong"][0]
    assert made.secret("postgres.password") not in json.dumps(seen)
    stopped: list[str] = []
    stop_everything(stopped.append)
    assert stopped == ["Stopping the database ..."]
    assert not Cluster(made).is_ready()
    assert examine().wrong == []
