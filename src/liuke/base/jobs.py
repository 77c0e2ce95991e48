"""How is work for later handed over? By name, in the caller's transaction, to procrastinate.

Jobs are ticks and calls to the outside world; reactions to facts go through the dispatcher of `events`.
Every name used here is resolved by tests/test_house.py.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued


def enqueue(name: str, /, *, once: str | None = None, **arguments: Any) -> bool:
    """Hand over a job; with `once`, refuse silently while one of that name is waiting. True when handed over.

    Never combined with retries: a retried job and its `once` name collide (procrastinate #1543).
    """
    try:
        with transaction.atomic():  # a refused insert must not spoil the caller's transaction
            app.configure_task(name, queueing_lock=once).defer(**arguments)
    except AlreadyEnqueued:
        return False
    return True
