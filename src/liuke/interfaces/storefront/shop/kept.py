"""What is the same for everybody is made once in a while, not for every visitor."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

MOST = 256
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Kept(Generic[T]):
    """Values by key, each for so many seconds, the `most` (else MOST) that were asked for last.

    When a value grows too old, whoever comes first makes it anew; the others get the old one meanwhile, for as many
    seconds again at most.
    """

    def __init__(self, seconds: float, most: int | None = None) -> None:
        self._seconds, self._most = seconds, most
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
            while len(self._values) > (self._most or MOST):
                self._values.popitem(last=False)
        return value

    def get_many(
        self, keys: Sequence[K], make: Callable[[Sequence[K]], Mapping[K, T]]
    ) -> dict[K, T]:
        """The values of these keys; those that are missing or too old are made at once, by one call. What cannot be
        made is left out, and asked for again.
        """
        now = time.monotonic()
        with self._lock:
            kept = {key: self._values[key] for key in keys if key in self._values}
        found = {key: value for key, (due, value) in kept.items() if now < due}
        missing = [key for key in keys if key not in found]
        if not missing:
            return found
        made = make(missing)
        with self._lock:
            for key, value in made.items():
                self._values[key] = (now + self._seconds, value)
                self._values.move_to_end(key)
            while len(self._values) > (self._most or MOST):
                self._values.popitem(last=False)
        return {**found, **made}

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
