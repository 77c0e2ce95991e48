"""What does the kernel say about a process? Read from /proc; elsewhere the answers are "unknown"."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def is_readable() -> bool:
    """Whether this system tells about its processes at all."""
    return (_PROC / "self" / "stat").exists()


def command(pid: int) -> str:
    """A process's command line; empty when there is none, or only a zombie is left of it."""
    try:
        return (
            (_PROC / str(pid) / "cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode(errors="replace")
        )
    except OSError:
        return ""


def marked(*marks: str) -> dict[int, str]:
    """The living processes whose command line carries a mark. A zombie has none, so it is never among them."""
    return {pid: line for pid in _each() if any(mark in (line := command(pid)) for mark in marks)}


def parent(pid: int) -> int | None:
    """Whose child it is."""
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def is_alive(pid: int) -> bool:
    """Running, and not merely waiting to be reaped."""
    if not is_readable():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    fields = _stat(pid)
    return bool(fields) and fields[0] not in ("Z", "X")


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in _each():
        if fields := _stat(entry):
            children.setdefault(int(fields[1]), []).append(entry)
    found, waiting = [], [pid]
    while waiting:
        found.append(one := waiting.pop())
        waiting += children.get(one, [])
    return found


def memory(pid: int) -> int | None:
    """Bytes of its own plus its share of what it shares (PSS); the resident size where that may not be read."""
    for name, field in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        with contextlib.suppress(OSError):
            for line in (_PROC / str(pid) / name).read_text().splitlines():
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    return None


def uptime(pid: int) -> float | None:
    """Seconds since the process began."""
    fields = _stat(pid)
    if not fields:
        return None
    began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began)


def _each() -> Iterator[int]:
    with contextlib.suppress(OSError):
        for entry in os.listdir(_PROC):
            if entry.isdigit():
                yield int(entry)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name (which may itself hold spaces and brackets)."""
    try:
        return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
