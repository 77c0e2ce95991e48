"""Make the lists in a short-lived process: the worker lives for weeks and never loads the arithmetic."""

from __future__ import annotations

import subprocess
import sys

from liuke.analytics.queries.showing_counts import lists_are_stale

TIME_LIMIT_SECONDS = 3600


class ListsFailed(RuntimeError):
    """The child ended badly; its last lines are the message, and the job is marked failed."""


def renew_lists_apart() -> bool:
    """Make the lists in a child process if today's are not there yet; whether they were made."""
    if not lists_are_stale():
        return False
    command = [sys.executable, "-m", "liuke", "rebuild", "lists"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False
    )
    if done.returncode:
        raise ListsFailed(done.stderr[-500:])
    return True
