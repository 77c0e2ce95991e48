"""Many who want the same thing at the same moment: as many threads as wanted, on the connections that the pool has."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connection


def crowd(act: Callable[[int], Any], contenders: int) -> list[Any]:
    """Let everybody act at once; what each got, refusals included."""
    ready = threading.Barrier(contenders)
    got: list[Any] = [None] * contenders

    def contend(number: int) -> None:
        try:
            ready.wait(timeout=30)
            got[number] = act(number)
        except Exception as refused:
            got[number] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=contend, args=(n,)) for n in range(contenders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return got


def outcomes(got: list[Any]) -> Counter[str]:
    """How many of each: the class of a refusal, or of an answer."""
    return Counter(type(each).__name__ for each in got)
