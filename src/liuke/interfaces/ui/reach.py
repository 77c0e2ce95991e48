"""How do the parts of an audience look side by side: gets it now, waits, is compared with, is left out?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from liuke.interfaces.ui.figures import percent

WIDTH = 1000


@dataclass(frozen=True)
class Part:
    """One part of the whole; x and width place it on a bar of 1000."""

    key: str
    members: int
    share: str
    x: float
    width: float


def parts(counts: Mapping[str, int] | Iterable[tuple[str, int]]) -> list[Part]:
    """The counts as parts of their sum, in the order given."""
    pairs = list(counts.items() if isinstance(counts, Mapping) else counts)
    whole = sum(members for _, members in pairs)
    found, x = [], 0.0
    for key, members in pairs:
        share = members / whole if whole else 0.0
        found.append(Part(key, members, percent(share), round(x, 1), round(share * WIDTH, 1)))
        x += share * WIDTH
    return found
