"""Evaluate in a short-lived process: the worker lives for weeks and never loads the arithmetic."""

from __future__ import annotations

import subprocess
import sys

from liuke.analytics import queries
from liuke.analytics.models import Source

TIME_LIMIT_SECONDS = 1800


class EvaluationFailed(RuntimeError):
    """The child ended badly; its last lines are the message, and the job is marked failed."""


def evaluate_apart(*, source_id: int) -> bool:
    """Evaluate one source in a child process if it is stale; whether it was. Its forecasts follow in another."""
    source = Source.objects.filter(pk=source_id).first()
    if source is None:
        return False
    was_stale = queries.is_stale(source)
    if was_stale:
        _rebuild("standings", source)
    if queries.lacks_forecast(source):
        _rebuild("forecasts", source)
    return was_stale


def _rebuild(what: str, source: Source) -> None:
    command = [sys.executable, "-m", "liuke", "rebuild", what, "--source", source.key]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False
    )
    if done.returncode:
        raise EvaluationFailed(done.stderr[-500:])


def evaluate_what_is_stale() -> int:
    """Evaluate every source that is stale; how many were."""
    return sum(evaluate_apart(source_id=source.pk) for source in queries.sources())
