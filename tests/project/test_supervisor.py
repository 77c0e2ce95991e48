"""The supervisor keeps its parts running, stops them together, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from liuke.project import proc
from liuke.project.errors import CannotStart
from liuke.project.processes import Stop, run_beside
from liuke.project.supervisor import FIRST_PAUSE, LONGEST_PAUSE, Part, require_free_port

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., "subprocess.Popen[str]"]

# A supervisor whose parts are the shell commands it is given.
RUN = """
import sys
from liuke.project.supervisor import Part, Supervisor
parts = [Part(f"part{i}", ["sh", "-c", command]) for i, command in enumerate(sys.argv[1:])]
supervisor = Supervisor(parts, say=lambda line: print(line, flush=True))
with supervisor.listening():
    supervisor.run()
print("over", flush=True)
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(*commands: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", RUN, *commands],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def pids_in(notes: Path, count: int) -> list[int]:
    """Wait until as many parts have noted their numbers."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = notes.read_text().split() if notes.exists() else []
        if len(lines) >= count:
            return [int(line) for line in lines]
        time.sleep(0.05)
    pytest.fail(f"only {lines} of {count} began")


def until_gone(pids: list[int], seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if proc.is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_a_part_that_ends_with_0_is_started_again_ever_more_slowly(
    start: Start, notes: Path
) -> None:
    process = start(f"echo $$ >> {notes}; exit 0")
    pids_in(notes, 4)  # at once, after 0.2, 0.6, 1.4 s
    time.sleep(0.3)
    process.terminate()
    out, _ = process.communicate(timeout=10)
    assert 4 <= len(notes.read_text().split()) <= 5
    assert "part0 process ended (code 0); starting it again in 0.2 s" in out
    assert "0.8 s" in out
    assert out.endswith("over\n")


def test_a_part_that_is_killed_is_started_again_alone(
    start: Start, notes: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    start(f"echo $$ >> {notes}; exec sleep 60", f"echo $$ >> {other}; exec sleep 60")
    first, steady = pids_in(notes, 1)[0], pids_in(other, 1)[0]
    os.kill(first, signal.SIGKILL)
    assert pids_in(notes, 2)[1] != first
    assert pids_in(other, 1) == [steady]
    assert proc.is_alive(steady)


def test_stopping_ends_the_stubborn_and_their_children_within_five_seconds(
    start: Start, notes: Path
) -> None:
    stubborn = (
        f"trap '' TERM; echo $$ >> {notes}; sh -c 'echo $$ >> {notes}; sleep 60' & wait; sleep 60"
    )
    process = start(stubborn, f"echo $$ >> {notes}; exec sleep 60")
    pids = pids_in(notes, 3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert time.monotonic() - began < 5
    assert process.returncode == 0, out
    assert until_gone(pids, 0.5) == []


def test_a_killed_supervisor_leaves_no_orphans(start: Start, notes: Path) -> None:
    process = start(
        f"echo $$ >> {notes}; exec sleep 60", f"trap '' TERM; echo $$ >> {notes}; exec sleep 61"
    )
    pids = pids_in(notes, 2)
    process.kill()
    process.wait()
    assert until_gone(pids, 2) == []


def test_the_pause_doubles_to_a_limit_and_is_forgotten_after_half_a_minute() -> None:
    part = Part("stub", ["true"])
    pauses = []
    for _ in range(8):
        part.start()
        assert part.process
        part.process.wait()
        pauses.append(part.pause)
        assert part.ended() == 0
    assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
    assert pauses[-1] == LONGEST_PAUSE
    part.start()
    assert part.process
    part.process.wait()
    part.started_at -= 31
    part.ended()
    assert part.pause == FIRST_PAUSE * 2
    assert part.ended() is None


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"Port {port} on 127.0.0.1 is taken"):
            require_free_port("127.0.0.1", port)
    require_free_port("127.0.0.1", port)
    with pytest.raises(CannotStart, match="not an address of this machine"):
        require_free_port("192.0.2.1", port)


# -- the worker's two halves -----------------------------------------------------------------------


def test_a_dispatcher_that_dies_ends_the_worker_with_1(caplog: pytest.LogCaptureFixture) -> None:
    def dies(_stop: threading.Event) -> None:
        raise RuntimeError("no more")

    def jobs(stop: Stop) -> None:
        stop.event.wait(5)

    assert run_beside(dies, jobs, Stop()) == 1
    assert "dispatcher" in caplog.text


@pytest.mark.parametrize("error", [None, RuntimeError("gone")])
def test_jobs_that_end_end_the_worker_with_1(error: Exception | None) -> None:
    stopped = threading.Event()

    def dispatcher(stop: threading.Event) -> None:
        if stop.wait(5):
            stopped.set()

    def jobs(_stop: Stop) -> None:
        if error:
            raise error

    assert run_beside(dispatcher, jobs, Stop()) == 1
    assert stopped.is_set()


def test_a_worker_that_was_asked_to_stop_ends_with_0() -> None:
    stop = Stop()

    def jobs(stop: Stop) -> None:
        stop.by_signal = True

    def dispatcher(event: threading.Event) -> None:
        event.wait(5)

    assert run_beside(dispatcher, jobs, stop) == 0
