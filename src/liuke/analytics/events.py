"""Facts of `analytics`."""

from dataclasses import dataclass

from liuke.events.facts import fact


@fact(name="analytics.OrdersImported", version=1)
@dataclass(frozen=True)
class OrdersImported:
    """A file of orders was taken in: one event for the whole file, however many orders it brought."""

    import_id: int
    source_id: int
    orders: int
    members: int
