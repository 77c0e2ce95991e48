"""In which words do we speak of deliveries, what is a part of a line worth, and who decides about a rejection?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

DELIVERY_STATES = ("waiting", "delivered", "accepted", "returned")
REJECT_REASONS = ("does_not_work", "already_used", "wrong_item", "not_as_described", "too_late")
REJECTION_STATES = ("open", "granted", "refused")
STEP_LETTERS = 1000
NOTE_LETTERS = 500


def share_fen(total_fen: int, parts: int, numbers: Iterable[int]) -> int:
    """What some of `parts` equal parts are worth, by their numbers from 1; all of them are worth all of it."""
    return sum(
        total_fen * number // parts - total_fen * (number - 1) // parts for number in numbers
    )


def paid_out(owed_fen: Sequence[int], there_fen: int) -> list[int]:
    """What each gets of what is there: what they are owed, or less in proportion when some of it went back beside."""
    whole, so_far, parts = sum(owed_fen), 0, []
    for owed in owed_fen:
        before, so_far = so_far, so_far + owed
        parts.append(there_fen * so_far // whole - there_fen * before // whole if whole else 0)
    return parts


def fee_fen(goods_fen: int, fee_permyriad: int) -> int:
    """What the platform keeps, rounded for the merchant."""
    return goods_fen * fee_permyriad // 10_000


def is_automatic(
    *, before: int, amount_fen: int, rejections_max: int, automatic_max_fen: int
) -> bool:
    """Whether a rejection is granted by itself, after so many others of the person within the window."""
    return before < rejections_max and amount_fen <= automatic_max_fen
