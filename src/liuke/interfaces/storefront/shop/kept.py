"""What is the same for everybody is made once in a while, not for every visitor."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MOST = 256
T = TypeVar("T")


class Kept(Generic[T]):
    """Values by key, each for so many seconds, the MOST that were asked for last.

    When a value grows too old, whoever comes first makes it anew; the others get the old one meanwhile, for as many
    seconds again at most.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value kept under `key`, made when there is none or it is too old."""
        now = time.monotonic()
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                due, value = found
                self._values.move_to_end(key)
                if now < due:
                    return value
                if now < due + self._seconds:
                    self._values[key] = (due + self._seconds, value)
        value = make()
        with self._lock:
            self._values[key] = (time.monotonic() + self._seconds, value)
            while len(self._values) > MOST:
                self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
