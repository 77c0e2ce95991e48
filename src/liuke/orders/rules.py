"""What does it cost, and why? Pure arithmetic in the smallest unit of money.

The order of things: the list price; then the cheapest of level price, special price and quantity price, never two of
them; then at most one coupon, spread over its lines; then a gift. Whatever is rounded is rounded for the member. What
has a price costs a fen at least, and nothing more than the list says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from liuke.catalog.rules import unit_price
from liuke.membership.rules import CouponTerms, Gift, Scope, SpecialPrice, Terms

ORDER_STATES = ("placed", "paid", "delivered", "completed", "cancelled", "refunded")
CANCEL_REASONS = ("member", "staff", "expired")
REFERENCE_LETTERS = 24
KEY_LETTERS = 64
LINES_MAX = 20
GUEST_PREFIX = "guest:"  # what a guest is called among the members of the site
HOLD_GRACE_MINUTES = 60  # stock waits longer than the order, which gives it back itself


@dataclass(frozen=True)
class Item:
    """So many of a variant, as the catalogue prices it now. `quantity_prices` are (from, price of a piece)."""

    variant_id: int
    product_id: int
    scene: str
    quantity: int
    unit_fen: int
    quantity_prices: tuple[tuple[int, int], ...] = ()

    @property
    def list_fen(self) -> int:
        return self.unit_fen * self.quantity

    @property
    def goods_fen(self) -> int:
        """What the merchant asks for this quantity."""
        return unit_price(self.unit_fen, self.quantity_prices, self.quantity) * self.quantity


@dataclass(frozen=True)
class PriceStep:
    """One step from the list price to what is paid: `list`, `level`, `special`, `quantity`, `coupon` or `gift`.

    `text` is the name of what gave it, `amount_fen` is below zero where it makes the price lower.
    """

    kind: str
    text: str
    amount_fen: int


@dataclass(frozen=True)
class Priced:
    """An item with its price, and the steps that lead to it: they add up to `total_fen`."""

    item: Item
    total_fen: int
    steps: tuple[PriceStep, ...]
    special: SpecialPrice | None = None
    gift: Gift | None = None


def price(items: Sequence[Item], terms: Terms) -> list[Priced]:
    """Each item at the best price for the member, without coupons and gifts. A grant is good for one item."""
    plain = [_best_without_grant(item, terms) for item in items]
    gains = sorted(
        (
            (priced.total_fen - special.total_for(priced.item.unit_fen, priced.item.quantity), i, j)
            for i, priced in enumerate(plain)
            for j, special in enumerate(terms.specials)
            if _covers(special.scope, priced.item)
        ),
        key=lambda gain: (-gain[0], gain[1], gain[2]),
    )
    given: set[int] = set()
    for gain, i, j in gains:
        if gain > 0 and j not in given and plain[i].special is None:
            given.add(j)
            plain[i] = _at(plain[i].item, "special", terms.specials[j])
    return plain


def _best_without_grant(item: Item, terms: Terms) -> Priced:
    """The list price, the level's or the quantity's; of equal ones the first."""
    level_fen = max(item.list_fen * terms.pays_percent // 100, min(item.list_fen, 1))
    best = min(item.list_fen, level_fen, item.goods_fen)
    if best == item.list_fen:
        return Priced(item, best, (PriceStep("list", "", item.list_fen),))
    if best == level_fen:
        return _stepped(item, best, PriceStep("level", terms.level_name, best - item.list_fen))
    return _stepped(item, best, PriceStep("quantity", "", best - item.list_fen))


def _at(item: Item, kind: str, special: SpecialPrice) -> Priced:
    total = special.total_for(item.unit_fen, item.quantity)
    priced = _stepped(item, total, PriceStep(kind, special.name, total - item.list_fen))
    return replace(priced, special=special)


def _stepped(item: Item, total: int, step: PriceStep) -> Priced:
    return Priced(item, total, (PriceStep("list", "", item.list_fen), step))


def coupon_worth(lines: Sequence[Priced], coupon: CouponTerms) -> int:
    """What a coupon takes off these lines; of each a fen stays to be paid."""
    covered = [line for line in lines if _covers(coupon.scope, line.item)]
    spend = sum(line.total_fen for line in covered)
    return min(coupon.worth(spend), sum(_room(line) for line in covered))


def with_coupon(lines: Sequence[Priced], coupon: CouponTerms) -> list[Priced]:
    """The lines with what the coupon takes off spread over those it covers, in proportion, to the fen."""
    off = coupon_worth(lines, coupon)
    room = sum(_room(line) for line in lines if _covers(coupon.scope, line.item))
    done, so_far = [], 0
    for line in lines:
        if not off or not _covers(coupon.scope, line.item):
            done.append(line)
            continue
        share = off * (so_far + _room(line)) // room - off * so_far // room
        so_far += _room(line)
        done.append(_less(line, PriceStep("coupon", coupon.name, -share)))
    return done


def _room(line: Priced) -> int:
    """A line that is paid for stays one: whoever gives it back gets something back."""
    return max(line.total_fen - 1, 0)


def _less(line: Priced, step: PriceStep) -> Priced:
    return replace(line, total_fen=line.total_fen + step.amount_fen, steps=(*line.steps, step))


def gift_for(lines: Sequence[Priced], gifts: Sequence[Gift]) -> Gift | None:
    """The first gift of the list whose scope is paid enough for."""
    for gift in gifts:
        paid = sum(line.total_fen for line in lines if _covers(gift.scope, line.item))
        if paid >= gift.min_payable_fen:
            return gift
    return None


def as_gift(item: Item, gift: Gift) -> Priced:
    """What the member gets for nothing."""
    step = PriceStep("gift", gift.name, -item.list_fen)
    return replace(_stepped(item, 0, step), gift=gift)


def _covers(scope: Scope, item: Item) -> bool:
    return scope.covers(item.scene, item.product_id, item.variant_id)
