"""What is shown to members, in which words it is kept, and what may be shown now. Pure."""

from __future__ import annotations

# Where a product is shown. The first three are lists of a member's own, made at night.
OWN_SLOTS = ("followed", "rebuy", "discover")
SLOTS = (*OWN_SLOTS, "alongside", "popular")
REASONS = (
    "followed_cheaper",
    "followed_back",
    "bought_often",
    "subject",
    "viewed",
    "goes_with",
    "popular_week",
    "popular_lately",
    "popular_in_scene",
)
SLOT_LETTERS, REASON_LETTERS = 9, 16

RANKS = {"followed": 20, "rebuy": 6, "discover": 12}
"""How many are kept of each list: more than are shown, since some of them will be sold out."""

ALONGSIDE_RANKS, POPULAR_RANKS = 6, 12
SHOWN_MOST = 60
"""Products of one slot that are counted for a member on one day."""

ATTRIBUTED_DAYS = 7
KEPT_DAYS = 90


def is_followed_news(reason: str, from_fen: int, was_fen: int | None) -> str:
    """The reason to show a followed product that is there now, or "" when there is no news of it.

    `reason` is what the night found: `followed_back` when it was sold out of late. `was_fen` is what it cost when the
    member began to follow it, 30 days ago at most.
    """
    if was_fen is not None and from_fen < was_fen:
        return "followed_cheaper"
    return reason if reason == "followed_back" else ""
