"""Send refunds that are due to their gateways: taken in hand, told outside any transaction, and noted.

A gateway knows a refund by our reference, so that one whose answer was lost is told again and still paid once.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from liuke.base import clock
from liuke.base.outside import Accepted, Outcome, Rejected
from liuke.payments.actions.refund import finish_refund
from liuke.payments.gateways import gateway_of_old
from liuke.payments.models import Refund
from liuke.payments.rules import IN_HAND_SECONDS, next_refund_try


def send_refunds(*, limit: int = 50) -> int:
    """Send what is due; how many were sent, whatever became of them."""
    taken = _take(limit)
    for refund in taken:
        outcome = gateway_of_old(refund.gateway).refund(refund)
        _note(refund.pk, outcome)
    return len(taken)


@transaction.atomic
def _take(limit: int) -> list[Refund]:
    """Keep others away for a while; whoever dies with one in hand has it taken again afterwards."""
    due = Refund.objects.filter(state="pending", due_at__lte=clock.now()).order_by("due_at", "pk")
    taken = list(
        due.select_for_update(no_key=True, skip_locked=True, of=["self"]).select_related(
            "payment__order"
        )[:limit]
    )
    until = clock.now() + dt.timedelta(seconds=IN_HAND_SECONDS)
    Refund.objects.filter(pk__in=[refund.pk for refund in taken]).update(due_at=until)
    return taken


@transaction.atomic
def _note(refund_id: int, outcome: Outcome) -> None:
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    if refund.state != "pending":
        return  # another worker was told first
    if isinstance(outcome, Accepted):
        finish_refund(refund, provider_id=outcome.provider_id)
        return
    refund.tries += 1
    refund.problem = outcome.why[:120]
    is_final = isinstance(outcome, Rejected) and not outcome.is_passing
    refund.due_at = None if is_final else next_refund_try(refund.tries, clock.now())
    if refund.due_at is None:
        refund.state = "failed"
    refund.save(update_fields=["tries", "problem", "due_at", "state"])
