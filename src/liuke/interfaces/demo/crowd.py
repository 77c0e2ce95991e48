"""The invented members side by side in two processes, a day at a time; at midnight the shop does what its timers do."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
from collections.abc import Callable, Collection, Sequence
from multiprocessing.connection import Connection
from typing import Any

from django.db import connections

from liuke.base import chance, clock
from liuke.catalog.queries import stock_of
from liuke.delivery.actions import accept_overdue
from liuke.events.dispatcher import dispatch_pending
from liuke.interfaces.demo.living import Life
from liuke.interfaces.demo.shop import LOW_STOCK, Shop, bring_keys
from liuke.orders.actions import expire_orders
from liuke.people.models import Login

PARTS = 2
_NIGHTS_APART = 3  # facts are passed on in batches


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
            told = (theirs, shop, began, days, numbers, seed * PARTS + part, hands)
            process = fork.Process(target=_live, args=told, daemon=True)
            process.start()
            theirs.close()
            self._parts.append((process, ours))

    def live_until(self, day: int, say: Callable[[int], None]) -> None:
        """Let every day before number `day` pass; `say` hears each one's number."""
        for number in range(self._day, day):
            self._all("live", number)
            with clock.stopped_at(self.began + dt.timedelta(days=number + 1)):
                self._night(is_busy=number % _NIGHTS_APART == 0 or number == day - 1)
            say(number)
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

    def _all(self, what: str, told: object) -> list[Any]:
        for _, pipe in self._parts:
            pipe.send((what, told))
        answers = []
        for _, pipe in self._parts:
            is_well, answer = pipe.recv()
            if not is_well:
                raise RuntimeError(f"the simulation ended early: {answer}")
            answers.append(answer)
        return answers

    def _night(self, *, is_busy: bool) -> None:
        while expire_orders() + accept_overdue():
            pass
        if is_busy:
            dispatch_pending()
        shelves = self.shop.with_keys()
        left = stock_of([shelf.variant.pk for shelf in shelves], at_most=LOW_STOCK)
        for shelf in shelves:
            if (left[shelf.variant.pk] or 0) < LOW_STOCK:
                bring_keys(shelf.variant, by=None)


def _live(
    pipe: Connection,
    shop: Shop,
    began: dt.datetime,
    days: int,
    numbers: Sequence[int],
    seed: int,
    hands: Login,
) -> None:
    """A child: does what it is told until nobody tells it anything more."""
    with chance.seeded(seed):
        life = Life(shop, began, days, numbers, hands)
        verbs: dict[str, Callable[[Any], object]] = {
            "live": life.live,
            "reached": life.reached,
            "truth": lambda _: life.truth(),
        }
        try:
            while True:
                what, told = pipe.recv()
                try:
                    pipe.send((True, verbs[what](told)))
                except Exception as error:
                    pipe.send((False, f"{type(error).__name__}: {error}"))
                    break
        except EOFError:
            pass
    _let_go()
    os._exit(0)  # nothing of the parent's is cleaned up twice


def _let_go() -> None:
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if close_pool := getattr(connection, "close_pool", None):
            close_pool()
