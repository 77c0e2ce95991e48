"""Which reactions does a fact set in motion? Filled once at start-up by `liuke/reactions.py`.

A reaction is a callable that takes a batch, `Sequence[Recorded[SomeFact]]` in ascending id, and
does its effect in the transaction it is called in. Its name, "room.action", is written in the
database: never change it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import unwrap
from typing import Any, TypeVar

from liuke.events.facts import Recorded, kind_of

F = TypeVar("F")
Batch = Sequence[Recorded[F]]

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_NAME_LETTERS = 120


class BadReaction(ValueError):
    """A reaction is connected twice, or under a name that is no name."""


@dataclass(frozen=True)
class Reaction:
    """One line of the switchboard."""

    name: str
    run: Callable[[Sequence[Recorded[Any]]], object]
    is_replayable: bool
    facts: tuple[str, ...]


_reactions: dict[str, Reaction] = {}
_by_fact: dict[str, tuple[str, ...]] = {}


def connect(
    fact: type[F],
    reaction: Callable[[Batch[F]], object],
    *,
    name: str | None = None,
    replayable: bool = False,
) -> None:
    """Let `reaction` follow each `fact`. The name defaults to "room.function" of the callable.

    The same reaction may follow several facts: connect it once for each, and its batches are mixed.
    `replayable=True` declares a projection that can be emptied and rebuilt from the log.
    """
    kind = kind_of(fact)
    name = name or _default_name(reaction)
    if not _NAME.fullmatch(name) or len(name) > _NAME_LETTERS:
        raise BadReaction(f"{name!r} is not room.action")
    before = _reactions.get(name)
    same = before is None or unwrap(before.run) == unwrap(reaction)
    if before and (not same or before.is_replayable != replayable):
        raise BadReaction(f"{name} is already another reaction")
    if before and kind.name in before.facts:
        raise BadReaction(f"{name} already follows {kind.name}")
    facts = (*(before.facts if before else ()), kind.name)
    _reactions[name] = Reaction(name, reaction, replayable, facts)
    _by_fact[kind.name] = (*_by_fact.get(kind.name, ()), name)


def _default_name(reaction: Callable[..., object]) -> str:
    module = getattr(reaction, "__module__", "").split(".")
    function = getattr(reaction, "__qualname__", "")
    return f"{module[1]}.{function}" if len(module) > 1 else function


def each(fn: Callable[[Recorded[F]], object]) -> Callable[[Batch[F]], None]:
    """Make a reaction of something that takes one recorded fact at a time."""

    @functools.wraps(fn)
    def one_by_one(batch: Batch[F]) -> None:
        for recorded in batch:
            fn(recorded)

    return one_by_one


def reactions() -> list[Reaction]:
    """Every connected reaction, in the order of the switchboard."""
    return list(_reactions.values())


def find(name: str) -> Reaction | None:
    """The connected reaction of that name."""
    return _reactions.get(name)


def names_for(fact_name: str) -> tuple[str, ...]:
    """The reactions that a fact sets in motion."""
    return _by_fact.get(fact_name, ())


@contextmanager
def isolated() -> Iterator[None]:
    """An empty switchboard inside the block (tests, benchmarks)."""
    global _reactions, _by_fact
    kept = _reactions, _by_fact
    _reactions, _by_fact = {}, {}
    try:
        yield
    finally:
        _reactions, _by_fact = kept
