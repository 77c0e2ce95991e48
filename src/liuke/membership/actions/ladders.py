"""Which ladder is climbed, and what its levels ask for and give."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from liuke.base import clock
from liuke.membership.actions.spend import settle_levels
from liuke.membership.errors import BadLadder, UnknownLadder
from liuke.membership.models import Ladder, Level
from liuke.membership.rules import LevelBounds, is_ladder
from liuke.people.actions import record_act
from liuke.people.models import Login


@transaction.atomic
def activate_ladder(*, key: str, by: Login | None) -> int:
    """Let everyone climb another ladder from now on; how many came to another level.

    Raises:
        UnknownLadder: there is none of that key.
    """
    ladder = _held(key)
    if ladder.is_active:
        return 0
    Ladder.objects.filter(is_active=True).update(is_active=False)
    Ladder.objects.filter(pk=key).update(is_active=True)
    record_act(by=by, verb="ladder.activate", about=key)
    return settle_levels(at=clock.now())


@transaction.atomic
def set_levels(*, key: str, levels: Sequence[LevelBounds], by: Login | None) -> int:
    """Give a ladder these levels, lowest first; how many persons came to another level.

    Levels are changed by their key and added; one that is in use can be changed and not taken away.

    Raises:
        BadLadder: they do not go up, or one is missing.
        UnknownLadder: there is no ladder of that key.
    """
    ladder = _held(key)
    keys = [level.key for level in levels]
    known = set(Level.objects.filter(ladder=ladder).values_list("key", flat=True))
    if not is_ladder(levels) or len(set(keys)) < len(keys) or known - set(keys):
        raise BadLadder
    for position, level in enumerate(levels):
        Level.objects.update_or_create(
            ladder=ladder,
            key=level.key,
            defaults={
                "name": level.name,
                "position": position,
                "spent_from_fen": level.spent_from_fen,
                "orders_from": level.orders_from,
                "pays_percent": level.pays_percent,
            },
        )
    record_act(by=by, verb="ladder.levels", about=key, levels=keys)
    return settle_levels(at=clock.now()) if ladder.is_active else 0


def _held(key: str) -> Ladder:
    """The ladder, while nobody else changes any."""
    held = {one.key: one for one in Ladder.objects.select_for_update().order_by("key")}
    if key not in held:
        raise UnknownLadder
    return held[key]
