"""Forget what somebody answered to the questions of products."""

from __future__ import annotations

from django.db import transaction

from liuke.orders.models import LastAnswers, Line, Order

ENDED = ("completed", "cancelled", "refunded")


@transaction.atomic
def forget_answers(*, person_id: int) -> int:
    """Blank the answers of a person's ended orders, and what would be filled in again; how many lines.

    Open orders keep theirs: somebody needs them to do the work. They are blanked with the next nightly `prune_answers`.
    """
    LastAnswers.objects.filter(person_id=person_id).delete()
    ended = Order.objects.filter(person_id=person_id, state__in=ENDED)
    return (
        Line.objects.filter(order__in=ended)
        .exclude(answers={})
        .update(answers={}, secrets_sealed=None)
    )


def prune_answers() -> int:
    """Blank what orders of erased persons still tell, now that these have ended; how many persons."""
    told = Line.objects.exclude(answers={}).filter(
        order__state__in=ENDED, order__person__erased_at__isnull=False
    )
    persons = set(told.values_list("order__person_id", flat=True))
    for person_id in sorted(persons):
        forget_answers(person_id=person_id)
    return len(persons)
