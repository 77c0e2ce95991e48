"""What the invented members do here besides buying: they come, look, search, and less and less once they are through.

Drawn from a chance of its own, so that what is bought stays what it was, and written some days at a time: a visit is
too small a thing for an action of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from liuke.analytics.actions.behaviour import Did, note_behaviours
from liuke.base import chance
from liuke.interfaces.demo.shop import Shelf
from liuke.people.models import Member

_A_GAP = 2.0  # visits between two orders, about
_FADES = 1.7  # each wait after the last order is so many times the one before
_GONE = 4.0  # and after so many gaps they come no more
_SEARCHES = 0.3
_NAMES = ("direct", "direct", "www.baidu.com", "weixin")


@dataclass
class Visits:
    """The visits of some of the members; `ends` is the end of the simulation."""

    seed: int
    ends: dt.datetime
    _told: list[Did] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        with chance.seeded(self.seed) as own:
            self._lot = own

    def to_buy(self, member: Member, shelf: Shelf, at: dt.datetime) -> None:
        """Somebody comes for something, and looks at it first."""
        self._visit(member, shelf, at - dt.timedelta(minutes=self._lot.uniform(1, 15)))

    def until_next(
        self, member: Member, shelves: Sequence[Shelf], gap_days: float, since: dt.datetime
    ) -> None:
        """Somebody who will buy again looks in now and then until then."""
        at, until = since, since + dt.timedelta(days=gap_days)
        while (at := at + self._wait(gap_days / _A_GAP)) < until:
            self._visit(member, self._lot.choice(shelves), at)

    def until_gone(
        self, member: Member, shelves: Sequence[Shelf], gap_days: float, since: dt.datetime
    ) -> None:
        """Somebody who is through looks in less and less."""
        at, until, days = since, since + dt.timedelta(days=_GONE * gap_days), gap_days / _A_GAP
        while (at := at + self._wait(days)) < until:
            self._visit(member, self._lot.choice(shelves), at)
            days *= _FADES

    def write(self, before: dt.datetime) -> None:
        """Tell of everything up to a moment."""
        due = [did for did in self._told if did.at < before]
        self._told = [did for did in self._told if did.at >= before]
        note_behaviours(due)

    def _wait(self, days: float) -> dt.timedelta:
        return dt.timedelta(days=self._lot.expovariate(1 / max(0.2, days)))

    def _visit(self, member: Member, shelf: Shelf, at: dt.datetime) -> None:
        if at >= self.ends:
            return
        self._count += 1
        name, came_from = f"demo-{member.pk}-{self._count}", self._lot.choice(_NAMES)
        product = shelf.variant.product
        done = [("login", "", ""), ("view", product.reference, "")]
        if self._lot.random() < _SEARCHES:
            done.insert(1, ("search", "", product.subject or product.title))
        self._told += [
            Did(
                batch=name,
                position=number,
                at=at + dt.timedelta(seconds=9 * number),
                kind=kind,
                person_id=member.person_id,
                product=seen,
                text=text,
                came_from=came_from,
            )
            for number, (kind, seen, text) in enumerate(done)
        ]
