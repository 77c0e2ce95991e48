"""The lines of an order as those who work on it see them: all of them, or one merchant's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from liuke.base import clock
from liuke.delivery.models import DeliveredKey, Delivery, Rejection, Step
from liuke.delivery.queries import deliveries_of
from liuke.merchants.models import Merchant
from liuke.orders.models import Line, Order
from liuke.orders.queries import lines_of


@dataclass(frozen=True)
class ShownLine:
    """A line with what was handed over for it; `questions` are those of today, by their keys."""

    line: Line
    delivery: Delivery | None
    questions: Mapping[str, str]
    keys: Sequence[DeliveredKey] = ()
    steps: Sequence[Step] = ()
    rejections: Sequence[Rejection] = ()

    @property
    def waits(self) -> bool:
        """Whether somebody's hands are waited for."""
        return self.delivery is not None and self.delivery.state == "waiting"

    @property
    def is_late(self) -> bool:
        return self.delivery is not None and self.delivery.promised_at < clock.now()

    @property
    def told(self) -> list[tuple[str, str]]:
        """What the buyer answered, secrets apart."""
        return [(self.questions.get(key, key), text) for key, text in self.line.answers.items()]

    @property
    def has_secrets(self) -> bool:
        return self.line.secrets_sealed is not None


def shown_lines(order: Order, merchant: Merchant | None = None) -> list[ShownLine]:
    """The lines of an order with their deliveries; with `merchant`, only what is theirs to deliver."""
    found = deliveries_of(order.pk).prefetch_related("steps__by", "rejections__by")
    deliveries = {delivery.line_id: delivery for delivery in found}
    return [
        _shown_line(line, deliveries.get(line.pk))
        for line in lines_of(order.pk)
        if merchant is None or (line.merchant_id == merchant.pk and line.pk in deliveries)
    ]


def _shown_line(line: Line, delivery: Delivery | None) -> ShownLine:
    questions = {asked["key"]: asked["label"] for asked in line.product.order_form}
    if delivery is None:
        return ShownLine(line, None, questions)
    return ShownLine(
        line=line,
        delivery=delivery,
        questions=questions,
        keys=sorted(delivery.keys.all(), key=lambda key: key.seq),
        steps=sorted(delivery.steps.all(), key=lambda step: step.pk),
        rejections=sorted(delivery.rejections.all(), key=lambda one: one.pk),
    )
