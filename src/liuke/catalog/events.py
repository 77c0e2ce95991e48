"""Facts of `catalog`."""

from dataclasses import dataclass

from liuke.events.facts import fact


@fact(name="catalog.KeysImported", version=1)
@dataclass(frozen=True)
class KeysImported:
    """Card keys came in: one event for the whole file."""

    batch_id: int
    variant_id: int
    keys: int


@fact(name="catalog.StockLow", version=1)
@dataclass(frozen=True)
class StockLow:
    """A variant's stock has fallen to its mark; told once until it has been above it again."""

    variant_id: int
    product_id: int
    left: int


@fact(name="catalog.BackInStock", version=1)
@dataclass(frozen=True)
class BackInStock:
    """A variant is there again for a person who asked to be told; one event for each."""

    variant_id: int
    product_id: int
    person_id: int


@fact(name="catalog.PriceChanged", version=1)
@dataclass(frozen=True)
class PriceChanged:
    """A variant costs something else from now on; amounts in minor units."""

    variant_id: int
    product_id: int
    old_price_fen: int
    new_price_fen: int
