"""What is offered, what is left of it, and who has seen which card key?"""

from liuke.catalog.queries.keys import (
    KeyCounts,
    access_history,
    batch_by_reference,
    batches,
    key_counts,
    key_of,
    keys_of,
    policy,
    sold_by_two,
)
from liuke.catalog.queries.products import (
    ProductPage,
    VariantOffer,
    follows,
    has_something_on_offer,
    parts_of,
    product_by_reference,
    product_page,
    scene_named,
    scenes,
    search,
    variant_by_reference,
    variants_of,
)
from liuke.catalog.queries.promises import invariants
from liuke.catalog.queries.stock import LowStock, low_stock, stock_of
from liuke.catalog.rules import KEY_FILE_BYTES_MAX

__all__ = [
    "KEY_FILE_BYTES_MAX",
    "KeyCounts",
    "LowStock",
    "ProductPage",
    "VariantOffer",
    "access_history",
    "batch_by_reference",
    "batches",
    "follows",
    "has_something_on_offer",
    "invariants",
    "key_counts",
    "key_of",
    "keys_of",
    "low_stock",
    "parts_of",
    "policy",
    "product_by_reference",
    "product_page",
    "scene_named",
    "scenes",
    "search",
    "sold_by_two",
    "stock_of",
    "variant_by_reference",
    "variants_of",
]
