"""Products and card keys as more than one interface lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from liuke.base.errors import Conflict, Invalid, Refusal
from liuke.catalog import queries
from liuke.catalog.actions import import_keys
from liuke.catalog.errors import KeysRefused, NoKeys
from liuke.catalog.models import CardKey, KeyAccess, KeyBatch, Product, Variant
from liuke.catalog.queries import KeyCounts
from liuke.interfaces.ui.catalog_words import KEY_STATES, line_problem
from liuke.people.models import Login

STOCK_SHOWN = 99
KEYS_A_PAGE = 50
BATCHES_SHOWN = 12
_REFUSED = "keys_refused"


@dataclass(frozen=True)
class Stock:
    """What is left of a variant, as a list says it."""

    name: str
    left: int | None
    is_low: bool

    @property
    def says(self) -> str:
        """`12`, `99+`, or a word for stock without end."""
        if self.left is None:
            return gettext("without end")
        return f"{STOCK_SHOWN}+" if self.left > STOCK_SHOWN else str(self.left)


@dataclass(frozen=True)
class ProductLine:
    """A product as a list shows it, with what is left of its listed variants."""

    product: Product
    stock: list[Stock]


@dataclass(frozen=True)
class Refused:
    """A file of keys that was refused: the first sentence, and the lines."""

    says: str
    lines: list[str]


@dataclass(frozen=True)
class KeysPage:
    """The card keys of a variant as its page shows them, masked."""

    variant: Variant
    counts: KeyCounts
    batches: list[KeyBatch]
    keys: Page[CardKey]
    state: str
    states: list[tuple[str, str, int]]


@dataclass(frozen=True)
class Revealed:
    """A card key in plain, with everybody who has seen it; for one answer only."""

    key: CardKey
    text: str
    history: list[KeyAccess]


def product_lines(products: Sequence[Product]) -> list[ProductLine]:
    """Products with the stock of their listed variants, in the order given."""
    variants = list(
        Variant.objects.filter(product__in=products, state="listed").order_by("position")
    )
    left = queries.stock_of([variant.pk for variant in variants], at_most=STOCK_SHOWN + 1)
    stock: dict[int, list[Stock]] = {}
    for variant in variants:
        there = left[variant.pk]
        is_low = there is not None and there <= (variant.low_stock_at or 0)
        stock.setdefault(variant.product_id, []).append(Stock(variant.name, there, is_low))
    return [ProductLine(product, stock.get(product.pk, [])) for product in products]


def keys_page(variant: Variant, query: Any, page_number: int) -> KeysPage:
    """The page of a variant's keys; `state` in the query narrows the list."""
    state = query.get("state", "")
    state = state if state in KEY_STATES else ""
    counts = queries.key_counts(variant)
    keys = Paginator(queries.keys_of(variant, state), KEYS_A_PAGE).get_page(page_number)
    states = [("", gettext("All"), counts.all_of_them)]
    states += [(key, gettext(name), getattr(counts, key)) for key, name in KEY_STATES.items()]
    return KeysPage(
        variant=variant,
        counts=counts,
        batches=list(queries.batches(variant)[:BATCHES_SHOWN]),
        keys=keys,
        state=state,
        states=states,
    )


def take_keys(request: HttpRequest, variant: Variant, by: Login) -> str:
    """Import what was pasted or dropped; the sentence to tell, "" when it was refused.

    What was refused is kept in the session for the next page (`refused_keys`), which names lines and no keys.
    """
    file, pasted = request.FILES.get("file"), request.POST.get("keys", "")
    try:
        if file is not None:
            content = file.read(queries.KEY_FILE_BYTES_MAX + 1)
            done = import_keys(variant=variant, content=content, by=by, name=file.name or "")
        elif pasted.strip():
            done = import_keys(variant=variant, content=pasted, by=by)
        else:
            raise NoKeys
    except (Invalid, Conflict) as refusal:
        request.session[_REFUSED] = {"says": str(refusal), "lines": _lines(refusal)}
        return ""
    told = ngettext("%(n)s card key came in.", "%(n)s card keys came in.", done.keys)
    says = told % {"n": f"{done.keys:,}"}
    if done.sold_elsewhere:
        more = gettext("Another merchant has %(n)s of them too: look into it.")
        says = f"{says} {more % {'n': done.sold_elsewhere}}"
    return says


def refused_keys(request: HttpRequest) -> Refused | None:
    """What the last import refused, told once."""
    kept = request.session.pop(_REFUSED, None)
    return Refused(**kept) if kept else None


def _lines(refusal: Refusal) -> list[str]:
    return (
        [line_problem(line) for line in refusal.lines] if isinstance(refusal, KeysRefused) else []
    )
