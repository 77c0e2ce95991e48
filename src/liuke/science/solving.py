"""Do members whose trouble was solved sooner buy again more often? An association, adjusted for the kind of trouble.

Quick cases and slow ones are of different kinds, and kinds differ in whether members come back. So quick and slow
are compared within each kind, and the differences are put together by the number of cases of each kind (direct
standardisation). What is left may still have other causes: nobody drew lots for who waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from liuke.science.intervals import Difference, rate_difference, weighted_difference

BUCKETS = ("within_2h", "within_24h", "later", "unsolved")
FAST, SLOW = ("within_2h",), ("later", "unsolved")
LEAST_CASES = 5


@dataclass(frozen=True, slots=True)
class Tally:
    """Cases, and how many of their members ordered again within the window."""

    cases: int
    again: int


@dataclass(frozen=True, slots=True)
class SolvingEffect:
    """``adjusted`` is fast minus slow within kinds, ``plain`` without regard to them; None where too few cases.

    ``kinds_used`` are those with ``LEAST_CASES`` cases on either side, ``cases_used`` their cases.
    """

    plain: Difference | None
    adjusted: Difference | None
    kinds_used: tuple[str, ...]
    cases_used: int


def solving_effect(counts: Mapping[str, Mapping[str, Tally]]) -> SolvingEffect:
    """Kind → bucket → tally, compared as FAST against SLOW."""
    kinds = {kind: (_sum(each, FAST), _sum(each, SLOW)) for kind, each in sorted(counts.items())}
    used = {kind: pair for kind, pair in kinds.items() if _enough(*pair)}
    everyone = (_all([fast for fast, _ in kinds.values()]), _all([s for _, s in kinds.values()]))
    cases = sum(fast.cases + slow.cases for fast, slow in used.values())
    return SolvingEffect(
        plain=_difference(*everyone) if _enough(*everyone) else None,
        adjusted=weighted_difference(
            [_difference(*pair) for pair in used.values()],
            [(fast.cases + slow.cases) / cases for fast, slow in used.values()],
        )
        if used
        else None,
        kinds_used=tuple(used),
        cases_used=cases,
    )


def _sum(of_kind: Mapping[str, Tally], buckets: Sequence[str]) -> Tally:
    return _all([of_kind[bucket] for bucket in buckets if bucket in of_kind])


def _all(tallies: Sequence[Tally]) -> Tally:
    return Tally(sum(each.cases for each in tallies), sum(each.again for each in tallies))


def _enough(fast: Tally, slow: Tally) -> bool:
    return min(fast.cases, slow.cases) >= LEAST_CASES


def _difference(fast: Tally, slow: Tally) -> Difference:
    return rate_difference(fast.again, fast.cases, slow.again, slow.cases)
