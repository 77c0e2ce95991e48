"""Who looks forward to what: follow a product, ask to be told when something is back, be told once."""

from __future__ import annotations

from collections.abc import Collection

from django.db import IntegrityError, transaction

from liuke.base import clock
from liuke.catalog.errors import InStock
from liuke.catalog.events import BackInStock
from liuke.catalog.models import BackWish, BundlePart, Follow, Product, Variant
from liuke.catalog.queries.stock import stock_of
from liuke.events.actions import publish_many
from liuke.events.facts import Happened


@transaction.atomic
def follow(*, person_id: int, product: Product) -> bool:
    """Remember that a person wants to hear of a product; False when they do already."""
    _, is_new = Follow.objects.get_or_create(
        person_id=person_id, product=product, defaults={"since": clock.now()}
    )
    return is_new


@transaction.atomic
def unfollow(*, person_id: int, product: Product) -> bool:
    """Forget it again; False when there was nothing to forget."""
    gone, _ = Follow.objects.filter(person_id=person_id, product=product).delete()
    return bool(gone)


@transaction.atomic
def ask_when_back(*, person_id: int, variant: Variant) -> bool:
    """Tell the person once when this is there again; False when they have asked already.

    Raises:
        InStock: it is there.
    """
    if stock_of([variant.pk], at_most=1)[variant.pk] != 0:
        raise InStock
    try:
        with transaction.atomic():
            BackWish.objects.create(person_id=person_id, variant=variant, asked_at=clock.now())
    except IntegrityError:
        return False
    return True


def tell_back(variant_ids: Collection[int]) -> int:
    """Stock came in for these: publish `BackInStock` for everybody who waits for them, or for a bundle of them.

    In the caller's transaction; how many are told.
    """
    bundles = BundlePart.objects.filter(part_id__in=variant_ids).values_list("bundle_id", flat=True)
    waiting = BackWish.objects.filter(
        told_at=None,
        variant_id__in={*variant_ids, *bundles},
        variant__state="listed",
        variant__product__state="listed",
        variant__product__merchant__state="active",
    ).select_for_update(no_key=True, skip_locked=True, of=("self",))
    wishes = list(waiting.select_related("variant").order_by("id"))
    if not wishes:
        return 0
    left = stock_of({wish.variant_id for wish in wishes}, at_most=1)
    told = [wish for wish in wishes if left[wish.variant_id] != 0]
    BackWish.objects.filter(pk__in=[wish.pk for wish in told]).update(told_at=clock.now())
    publish_many(
        Happened(
            BackInStock(wish.variant_id, wish.variant.product_id, wish.person_id),
            member=wish.person_id,
        )
        for wish in told
    )
    return len(told)


@transaction.atomic
def forget_wishes(*, person_id: int) -> None:
    """Drop everything an erased person looked forward to."""
    Follow.objects.filter(person_id=person_id).delete()
    BackWish.objects.filter(person_id=person_id).delete()
