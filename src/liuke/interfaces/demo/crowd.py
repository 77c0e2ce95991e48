"""The invented members side by side in two processes, a few days at a time, and the shop's timers at midnight."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from django.db import connection, connections

from liuke.base import chance, clock
from liuke.base.garbage import search_rarely
from liuke.catalog.queries import stock_of
from liuke.delivery.actions import accept_overdue, settle_rejection
from liuke.delivery.queries import open_rejections
from liuke.events.dispatcher import dispatch_pending
from liuke.interfaces.demo.living import Life
from liuke.interfaces.demo.shop import LOW_STOCK, Shop, bring_keys
from liuke.orders.actions import expire_orders
from liuke.people.models import Login

PARTS = 2
_CARE_TAKES = dt.timedelta(days=1)
_DAYS_APART = 3  # how far one part may run ahead of another


class Crowd:
    """Everyone, from `began` (the first midnight) on. Close it: its processes end then."""

    def __init__(
        self, shop: Shop, *, began: dt.datetime, days: int, members: int, seed: int, hands: Login
    ) -> None:
        self.shop, self.began = shop, began
        self._day = 0
        _let_go()  # a connection is not shared with a child
        fork = multiprocessing.get_context("fork")
        self._parts: list[tuple[Any, Connection]] = []
        for part in range(PARTS):
            ours, theirs = fork.Pipe()
            numbers = range(part, members, PARTS)
            parents = [ours, *(pipe for _, pipe in self._parts)]
            told = (theirs, parents, shop, began, days, numbers, seed * PARTS + part, hands)
            process = fork.Process(target=_live, args=told, daemon=True)
            process.start()
            theirs.close()
            self._parts.append((process, ours))

    def live_until(self, day: int, say: Callable[[int], None]) -> None:
        """Let every day before number `day` pass; `say` hears each one's number."""
        for first in range(self._day, day, _DAYS_APART):
            days = range(first, min(first + _DAYS_APART, day))
            self._all("live", days)
            for number in days:
                say(number)
        self._all("nights", None)
        self._day = day

    def reached(self, member_ids: Collection[int]) -> None:
        """A message reached these members."""
        self._all("reached", sorted(member_ids))

    def truth(self) -> list[dict[str, Any]]:
        """Everyone's hidden traits and what became of them."""
        return [one for part in self._all("truth", None) for one in part]

    def close(self) -> None:
        """End the processes."""
        for process, pipe in self._parts:
            pipe.close()
            process.join(timeout=10)

    def _all(self, verb: str, told: object) -> list[Any]:
        for _, pipe in self._parts:
            pipe.send((verb, told))
        answers = []
        for _, pipe in self._parts:
            is_well, answer = pipe.recv()
            if not is_well:
                raise RuntimeError(f"the simulation ended early: {answer}")
            answers.append(answer)
        return answers


@dataclass
class Part:
    """Some of the members, and one of the two things that the shop's timers do at night.

    A night is made up for when every part has lived its day: what is due by then is nobody's any more.
    """

    shop: Shop
    life: Life
    is_first: bool
    owed: Sequence[int] = ()

    def live(self, days: Sequence[int]) -> None:
        """Make up for the nights before, then live some days."""
        self.nights(None)
        for day in days:
            self.life.live(day)
        self.life.visits.write(before=self.life.began + dt.timedelta(days=days[-1] + 1))
        self.owed = days

    def nights(self, _: None) -> None:
        """What the timers did at the midnights that all parts have passed."""
        midnights = [self.life.began + dt.timedelta(days=day + 1) for day in self.owed]
        self.owed = ()
        for midnight in midnights if self.is_first else midnights[-1:]:
            with clock.stopped_at(midnight):
                self._settle() if self.is_first else dispatch_pending()

    def _settle(self) -> None:
        """What nobody paid expires, what nobody complained about is accepted, care decides, the shelves are filled."""
        while expire_orders() + accept_overdue():
            pass
        for rejection in open_rejections().filter(rejected_at__lt=clock.now() - _CARE_TAKES):
            settle_rejection(
                reference=rejection.reference, is_granted=True, answer="", by=self.life.hands
            )
        shelves = self.shop.with_keys()
        left = stock_of([shelf.variant.pk for shelf in shelves], at_most=LOW_STOCK)
        for shelf in shelves:
            if (left[shelf.variant.pk] or 0) < LOW_STOCK:
                bring_keys(shelf.variant, by=None)


def _live(
    pipe: Connection,
    parents: Sequence[Connection],
    shop: Shop,
    began: dt.datetime,
    days: int,
    numbers: Sequence[int],
    seed: int,
    hands: Login,
) -> None:
    """A child: does what it is told until nobody tells it anything more."""
    for inherited in parents:  # or no child would see the parent end
        inherited.close()
    with chance.seeded(seed), suppress(EOFError):
        _hurry()
        search_rarely()
        life = Life(shop, began, days, numbers, hands)
        part = Part(shop, life, is_first=0 in numbers)
        verbs: dict[str, Callable[[Any], object]] = {
            "live": part.live,
            "nights": part.nights,
            "reached": life.reached,
            "truth": lambda _: life.truth(),
        }
        while True:
            what, told = pipe.recv()
            try:
                pipe.send((True, verbs[what](told)))
            except Exception as error:
                pipe.send((False, f"{type(error).__name__}: {error}"))
                break
    _let_go()
    os._exit(0)  # nothing of the parent's is cleaned up twice


def _hurry() -> None:
    """A year that a power cut swallows is made again: nothing waits for the disk."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")


def _let_go() -> None:
    connections.close_all()
    for each in connections.all(initialized_only=True):
        if close_pool := getattr(each, "close_pool", None):
            close_pool()
