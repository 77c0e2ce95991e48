"""Where does chance come from? One source, replaceable by a seeded one, so that a failure prints its seed.

Secrets and public references come from the operating system and are never seeded outside a simulation.
"""

from __future__ import annotations

import random  # noqa: TID251 - the one place that owns chance
from collections.abc import Iterator
from contextlib import contextmanager

_system: random.Random = random.SystemRandom()
_chance: random.Random = _system


def source() -> random.Random:
    """The generator in force: the operating system's, or a seeded one inside `seeded`."""
    return _chance


@contextmanager
def seeded(seed: int) -> Iterator[random.Random]:
    """Make chance reproducible inside the block."""
    global _chance
    before, _chance = _chance, random.Random(seed)
    try:
        yield _chance
    finally:
        _chance = before
