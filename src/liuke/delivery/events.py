"""Facts of `delivery`."""

from dataclasses import dataclass

from liuke.events.facts import fact


@fact(name="delivery.DeliveryRejected", version=1)
@dataclass(frozen=True)
class DeliveryRejected:
    """A member says that what they got is not what they bought; with `is_open` a person has to decide."""

    order_id: int
    line_id: int
    merchant_id: int
    person_id: int
    reason: str
    is_open: bool
