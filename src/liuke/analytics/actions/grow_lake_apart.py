"""Grow the lakes in short-lived processes: the worker lives for weeks and never loads the arithmetic."""

from __future__ import annotations

import subprocess
import sys

from liuke.analytics import queries

TIME_LIMIT_SECONDS = 4 * 3600


class LakeFailed(RuntimeError):
    """The child ended badly; its last words are the message, and the job is marked failed."""


def grow_lakes_apart() -> int:
    """Bring the lake of every source that has orders up to date, one after the other; how many there are.

    One that fails does not keep the others from their turn.
    """
    words, grown = [], 0
    for source in queries.sources():
        if queries.order_days(source) is None:
            continue
        command = [sys.executable, "-m", "liuke", "rebuild", "lake", "--source", source.key]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False
        )
        grown += 1
        if done.returncode:
            words.append(f"{source.key}: {(done.stderr or done.stdout)[-500:]}")
    if words:
        raise LakeFailed("; ".join(words))
    return grown
