"""Keep the parts of the site running: start, watch, restart on any exit, stop together. No Django in here.

A part that ends is started again whatever its exit code, because a worker whose database went away ends with 0.
Each part leads a process group of its own and asks the kernel to be killed when its parent dies, so that nothing
outlives the supervisor, not even when the supervisor is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType

from liuke.project.errors import CannotStart

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
HEALTHY_SECONDS = 30.0
STOP_SECONDS = 3.5  # for the parts; the database's own stop comes after, all within five seconds
LOOK_SECONDS = 2.0

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Stopped(Exception):
    """Somebody asked us to stop while we were still starting."""


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent goes (Linux; elsewhere only groups protect us)."""
    if _libc is not None:
        _libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it was quicker
            os._exit(1)


@dataclass
class Part:
    """One process that has to run."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = FIRST_PAUSE
    restarts: int = 0

    def start(self) -> None:
        parent = os.getpid()
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent),  # safe: one thread
        )

    def ended(self) -> int | None:
        """The exit code, once, when it has just ended."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.signal(signal.SIGKILL)  # what it may have left behind in its group
        self.process = None
        now = time.monotonic()
        if now - self.started_at > HEALTHY_SECONDS:
            self.pause = FIRST_PAUSE
        self.due_at = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        self.restarts += 1
        return code

    def signal(self, number: int) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


@dataclass
class Watch:
    """Something beside the parts that is looked at now and then: the database, the first answer of the site."""

    look: Callable[[], None]
    every: float = LOOK_SECONDS
    due_at: float = 0.0


@dataclass
class Supervisor:
    """Runs its parts until a signal comes."""

    parts: list[Part]
    watches: list[Watch] = field(default_factory=list)
    say: Callable[[str], None] = lambda _line: None
    changed: Callable[[], None] = lambda: None  # a part began or ended
    _stopping: bool = False
    _bell: tuple[socket.socket, socket.socket] | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear signals from here on; every wait ends at once when one comes."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._bell = (ours, theirs)
        before = {
            number: signal.signal(number, self._heard) for number in (*_STOPPING, signal.SIGCHLD)
        }
        wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            ours.close()
            theirs.close()

    def check(self) -> None:
        """For long waits elsewhere: give up when we were asked to stop."""
        if self._stopping:
            raise Stopped

    def run_once(self, part: Part) -> int:
        """Run something to its end (the migrations) before the parts begin."""
        part.start()
        assert part.process is not None
        try:
            while (code := part.process.poll()) is None:
                self.check()
                self._wait(1.0)
        finally:
            part.signal(signal.SIGKILL)
            part.process.wait()
        return code

    def run(self) -> None:
        """Until a signal: keep the parts running and look at the watches."""
        try:
            while not self._stopping:
                self._tend(time.monotonic())
                self._wait(self._until_next(time.monotonic()))
        except Stopped:
            pass
        finally:
            self._stop()

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self._stopping = True

    def _tend(self, now: float) -> None:
        for part in self.parts:
            code = part.ended()
            if code is not None and not self._stopping:
                pause = part.due_at - now
                self.say(
                    f"The {part.name} process ended (code {code}); starting it again in {pause:.1f} s."
                )
                self.changed()
            if part.process is None and part.due_at <= now and not self._stopping:
                part.start()
                self.changed()
        for watch in self.watches:
            if watch.due_at <= now and not self._stopping:
                watch.look()
                watch.due_at = time.monotonic() + watch.every

    def _until_next(self, now: float) -> float:
        due = [part.due_at for part in self.parts if part.process is None]
        due += [watch.due_at for watch in self.watches]
        return max(0.0, min(due, default=now + 60) - now)

    def _wait(self, seconds: float) -> None:
        assert self._bell is not None
        if self._stopping:
            return
        select.select([self._bell[0]], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            while self._bell[0].recv(512):
                pass

    def _stop(self) -> None:
        for part in self.parts:
            if part.process:
                with contextlib.suppress(ProcessLookupError):
                    part.process.terminate()  # the leader only: it stops its own children in order
        deadline = time.monotonic() + STOP_SECONDS
        for part in self.parts:
            if part.process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    part.process.wait(max(0.0, deadline - time.monotonic()))
        for part in self.parts:
            part.signal(signal.SIGKILL)
            if part.process:
                part.process.wait()
                part.process = None


def require_free_port(host: str, port: int) -> None:
    """Say now, in one sentence, what the web server would say later in a trace."""
    import errno

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise CannotStart(
            f"{host} is not an address of this machine; choose another with --host."
        ) from error
    except OverflowError as error:
        raise CannotStart(
            f"{port} is not a port; choose one between 1 and 65535 with --port."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sentence = f"Port {port} on {host} is taken; choose another with --port."
        elif error.errno == errno.EACCES:
            sentence = f"You may not use port {port}; choose one above 1023 with --port."
        else:
            sentence = f"{host} is not an address of this machine; choose another with --host."
        raise CannotStart(sentence) from error
