"""Facts of `orders`."""

from dataclasses import dataclass

from liuke.events.facts import fact


@fact(name="orders.OrderPlaced", version=1)
@dataclass(frozen=True)
class OrderPlaced:
    """Somebody agreed to buy; stock is held and the price is fixed until `expires_at`, told in the order."""

    order_id: int
    reference: str
    person_id: int
    is_guest: bool
    payable_fen: int
    subsidy_fen: int


@fact(name="orders.OrderPaid", version=1)
@dataclass(frozen=True)
class OrderPaid:
    """The money is in escrow."""

    order_id: int
    reference: str
    person_id: int
    is_guest: bool
    payable_fen: int


@fact(name="orders.OrderDelivered", version=1)
@dataclass(frozen=True)
class OrderDelivered:
    """Everything in the order was handed over."""

    order_id: int
    reference: str
    person_id: int


@fact(name="orders.OrderCompleted", version=1)
@dataclass(frozen=True)
class OrderCompleted:
    """The member is content, by word or by time; `amount_fen` is what they paid and did not get back."""

    order_id: int
    reference: str
    person_id: int
    is_guest: bool
    amount_fen: int


@fact(name="orders.OrderCancelled", version=1)
@dataclass(frozen=True)
class OrderCancelled:
    """Never paid: by the member, by staff, or because the time was up (`member`, `staff`, `expired`)."""

    order_id: int
    reference: str
    person_id: int
    reason: str


@fact(name="orders.OrderRefunded", version=1)
@dataclass(frozen=True)
class OrderRefunded:
    """Money went back: `amount_fen` of it now; with `is_whole` nothing is left of the order."""

    order_id: int
    reference: str
    person_id: int
    is_guest: bool
    amount_fen: int
    is_whole: bool
    was_completed: bool


@fact(name="orders.OrderClaimed", version=1)
@dataclass(frozen=True)
class OrderClaimed:
    """A guest signed in and the order is theirs now; `completed_fen` is what it counts for if it was completed."""

    order_id: int
    reference: str
    person_id: int
    completed_fen: int | None
