"""The whole site as an operator meets it: it comes up, takes blows, says what is wrong, and stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from liuke.project import proc
from liuke.project.cluster import Cluster
from liuke.project.doctor import examine, stop_everything
from liuke.project.home import Home
from liuke.project.postgres import database
from liuke.project.serve import answers

from .conftest import Python

pytestmark = pytest.mark.crash
ROOT = Path(__file__).resolve().parents[2]


def wait_for(what: str, true: object, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.1)


def test_a_site_survives_blows_and_stops_in_five_seconds(home: Home, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = tmp_path / "said"
    with said.open("w") as out:
        site = subprocess.Popen(
            [sys.executable, "-m", "liuke", "serve", "--port", str(port)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=out,
            stderr=out,
        )
    try:
        wait_for("serving", lambda: f"serving http://127.0.0.1:{port}" in said.read_text(), 60)
        found = examine()
        assert found.state == "serving"
        assert found.wrong == []
        pids = {one.name: one.pid for one in found.processes}
        assert set(pids) == {"supervisor", "web", "worker", "postgres"}
        assert all(one.bytes and one.bytes > 2**20 for one in found.processes)
        assert found.numbers["events_pending"] == 0

        os.kill(pids["postgres"], signal.SIGKILL)
        cluster = Cluster(home)
        wait_for("the database's return", lambda: cluster.postmaster() not in (None, pids["postgres"]))
        wait_for("its answer", cluster.is_ready)
        os.kill(pids["web"], signal.SIGKILL)
        wait_for("the old site's end", lambda: not answers("127.0.0.1", port), 5)
        wait_for("the site's return", lambda: answers("127.0.0.1", port))
        everyone = proc.tree(site.pid)
        assert len(everyone) > 5

        began = time.monotonic()
        site.terminate()
        assert site.wait(10) == 0
        assert time.monotonic() - began < 5
        assert [pid for pid in everyone if proc.is_alive(pid)] == []
        assert not cluster.is_ready()
        assert examine().state == "stopped"
    except BaseException:
        sys.stdout.write(said.read_text())
        raise
    finally:
        site.kill()
        site.wait()
        stop_everything(lambda _line: None)


def test_the_doctor_finds_and_stops_a_server_that_nobody_uses(own: Python, home: Home) -> None:
    assert examine().wrong == []
    with database(home, fsync=False):
        pass
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
    assert home.secret("postgres.password") not in json.dumps(seen)
    stopped: list[str] = []
    stop_everything(stopped.append)
    assert stopped == ["Stopping the database ..."]
    assert not Cluster(home).is_ready()
    assert examine().wrong == []
