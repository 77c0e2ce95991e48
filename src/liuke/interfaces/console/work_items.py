"""What needs a person, gathered from the rooms that know of it; each list the oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from liuke.catalog.models import CardKey
from liuke.catalog.queries import LowStock, low_stock, sold_by_two
from liuke.delivery.models import Delivery, Rejection
from liuke.delivery.queries import open_rejections, waiting_for_hands
from liuke.payments.models import Discrepancy, Refund
from liuke.payments.queries import discrepancies, failed_refunds

SHOWN = 50


@dataclass(frozen=True)
class WorkItems:
    """What is shown of each kind; the members' money first. What is for operators is empty for agents."""

    discrepancies: Sequence[Discrepancy]
    refunds: Sequence[Refund]
    deliveries: Sequence[Delivery]
    rejections: Sequence[Rejection]
    low: Sequence[LowStock]
    sold_twice: Sequence[CardKey]

    @property
    def is_empty(self) -> bool:
        return not any(
            (
                self.discrepancies,
                self.refunds,
                self.deliveries,
                self.rejections,
                self.low,
                self.sold_twice,
            )
        )


def work_items(*, for_operators: bool) -> WorkItems:
    """The first of each kind."""
    return WorkItems(
        discrepancies=list(discrepancies()[:SHOWN]) if for_operators else [],
        refunds=list(failed_refunds()[:SHOWN]) if for_operators else [],
        deliveries=list(waiting_for_hands()[:SHOWN]),
        rejections=list(open_rejections()[:SHOWN]),
        low=low_stock() if for_operators else [],
        sold_twice=list(sold_by_two(SHOWN)) if for_operators else [],
    )


def how_many(*, for_operators: bool) -> int:
    """How often somebody waits for a person: one statement over partial indexes, for every page.

    What runs low and keys that two sell are not counted: nobody waits, and they may stand for weeks.
    """
    waiting: list[
        QuerySet[Discrepancy] | QuerySet[Refund] | QuerySet[Delivery] | QuerySet[Rejection]
    ]
    waiting = [waiting_for_hands(), open_rejections()]
    if for_operators:
        waiting += [discrepancies(), failed_refunds()]
    first, *rest = (found.order_by().values_list("pk") for found in waiting)
    return first.union(*rest, all=True).count()
