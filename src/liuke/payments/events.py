"""Facts of `payments`. That an order was paid is said by `orders`."""

from dataclasses import dataclass

from liuke.events.facts import fact


@fact(name="payments.MoneyReturned", version=1)
@dataclass(frozen=True)
class MoneyReturned:
    """Money is back with the member: `to` is the name of the gateway it went to, `wallet` for the one with us."""

    order_id: int
    reference: str
    person_id: int
    amount_fen: int
    to: str
