"""Which card keys are there, and who has seen them? Never in plain."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from liuke.base import ids
from liuke.catalog.errors import UnknownBatch, UnknownKey
from liuke.catalog.models import CardKey, KeyAccess, KeyBatch, KeyPolicy, Variant
from liuke.catalog.rules import KEY_STATES
from liuke.merchants.models import Merchant


def policy() -> KeyPolicy:
    """How many card keys one login may see in an hour."""
    return KeyPolicy.objects.latest("version")


@dataclass(frozen=True)
class KeyCounts:
    """How many card keys are in which state."""

    free: int = 0
    held: int = 0
    delivered: int = 0
    revoked: int = 0
    bad: int = 0

    @property
    def all_of_them(self) -> int:
        return self.free + self.held + self.delivered + self.revoked + self.bad


def key_counts(variant: Variant) -> KeyCounts:
    """The keys of a variant, by state."""
    counted = (
        CardKey.objects.filter(batch__variant=variant)
        .order_by()
        .values_list("state")
        .annotate(keys=Count("pk"))
    )
    return KeyCounts(**dict(counted))


def batches(variant: Variant) -> QuerySet[KeyBatch]:
    """What was imported for a variant, the latest first, with the number of keys in each state."""
    by_state = {f"{s}_count": Count("keys", filter=Q(keys__state=s)) for s in KEY_STATES}
    return (
        KeyBatch.objects.filter(variant=variant)
        .select_related("by")
        .annotate(**by_state)
        .order_by("-id")
    )


def batch_by_reference(text: str, merchant: Merchant | None = None) -> KeyBatch:
    """The batch a reference names; with `merchant`, among theirs only.

    Raises:
        UnknownBatch: none has it.
    """
    found = KeyBatch.objects.select_related("variant__product").filter(
        reference=ids.read_reference(text) or ""
    )
    batch = (found.filter(merchant=merchant) if merchant is not None else found).first()
    if batch is None:
        raise UnknownBatch
    return batch


def keys_of(variant: Variant, state: str = "", batch: KeyBatch | None = None) -> QuerySet[CardKey]:
    """The card keys of a variant, the latest first, sealed as they are, with how often each was shown in `looks`."""
    found = CardKey.objects.filter(batch__variant=variant).select_related("batch").order_by("-id")
    found = found.annotate(looks=Count("accesses"))
    found = found.filter(state=state) if state else found
    return found.filter(batch=batch) if batch is not None else found


def key_of(variant: Variant, text: str) -> CardKey:
    """The card key of that number among a variant's.

    Raises:
        UnknownKey: it has none of that number.
    """
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    key = CardKey.objects.filter(variant=variant, pk=number).first()
    if key is None:
        raise UnknownKey
    return key


def access_history(key_id: int) -> QuerySet[KeyAccess]:
    """Who was shown a card key, when and why, oldest first."""
    return KeyAccess.objects.filter(key=key_id).select_related("login", "person").order_by("id")


def sold_by_two(limit: int = 50) -> QuerySet[CardKey]:
    """Card keys that another merchant has too: somebody sells what is not theirs. The latest first."""
    twice = (
        CardKey.objects.order_by()
        .values("platform_index")
        .annotate(merchants=Count("merchant", distinct=True))
        .filter(merchants__gt=1)
        .values("platform_index")
    )
    found = CardKey.objects.filter(platform_index__in=twice).select_related(
        "merchant", "variant__product"
    )
    return found.order_by("-id")[:limit]
