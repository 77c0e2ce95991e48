"""In which order are segments judged that name one another?"""

from __future__ import annotations

from collections.abc import Mapping

NESTING_MAX = 5


class Circle(ValueError):
    """A segment would, in the end, depend on itself, or on a chain that is too long; `segment` is one of them."""

    def __init__(self, segment: str) -> None:
        super().__init__(segment)
        self.segment = segment


def levels(named: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Segments by level, each level naming only earlier ones. `named`: a segment → those its rule names; names that
    are no key count as known.

    Raises:
        Circle: there is none, or more than NESTING_MAX levels.
    """
    waiting = {name: set(inside) & named.keys() for name, inside in named.items()}
    found: list[list[str]] = []
    while waiting:
        ready = sorted(name for name, inside in waiting.items() if not inside)
        if not ready or len(found) == NESTING_MAX:
            raise Circle(min(waiting))
        found.append(ready)
        waiting = {name: inside - set(ready) for name, inside in waiting.items() if inside}
    return found


def all_below(names: frozenset[str], named: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """These segments and everything that they, in the end, depend on."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= named.get(name, frozenset())
    return frozenset(found)
