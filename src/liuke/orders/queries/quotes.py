"""What does it cost, and why? The price of now, for somebody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from liuke.base.prepared import Prepared
from liuke.catalog.models import Variant
from liuke.catalog.queries import stock_of
from liuke.membership.queries import terms_for
from liuke.membership.rules import CouponTerms, Terms
from liuke.orders.errors import (
    BadOrderQuantity,
    CouponDoesNotFit,
    EmptyOrder,
    NothingToPay,
    NotOffered,
)
from liuke.orders.models import OrderPolicy
from liuke.orders.queries.orders import has_bought
from liuke.orders.rules import (
    LINES_MAX,
    Item,
    Priced,
    PriceStep,
    as_gift,
    coupon_worth,
    gift_for,
    price,
    with_coupon,
)

Want = tuple[str, int]  # reference of a variant, quantity


@dataclass(frozen=True)
class LineQuote:
    """One line: `list_fen` by the catalogue, `goods_fen` for the merchant, `total_fen` for the member, and why.

    `offer` is (offer, grant) of the membership when the price makes use of one.
    """

    variant: Variant
    quantity: int
    unit_fen: int
    list_fen: int
    goods_fen: int
    total_fen: int
    steps: tuple[PriceStep, ...]
    is_gift: bool = False
    offer: tuple[int, int | None] | None = None


@dataclass(frozen=True)
class CouponChoice:
    """A coupon that could be used here, and what it would take off."""

    reference: str
    name: str
    off_fen: int
    expires_at: dt.datetime


@dataclass(frozen=True)
class Quote:
    """What an order would cost now. The site pays `subsidy_fen` beside the member's `payable_fen`.

    `coupons` are those that fit, the best first; `coupon_ref` is the one that is counted.
    """

    lines: tuple[LineQuote, ...]
    list_fen: int
    goods_fen: int
    payable_fen: int
    subsidy_fen: int
    coupons: tuple[CouponChoice, ...]
    coupon_ref: str
    coupon_off_fen: int


_VARIANT = Prepared(
    lambda reference: Variant.objects.select_related("product__merchant").filter(
        reference=reference
    ),
    str,
)
_GIFT = Prepared(
    lambda variant_id: Variant.objects.select_related("product__merchant").filter(pk=variant_id),
    int,
)
_POLICY = Prepared(lambda: OrderPolicy.objects.order_by("-version")[:1])


def quote(
    *,
    person_id: int | None,
    wants: Sequence[Want],
    coupon_ref: str | None = None,
    at: dt.datetime,
    policy_now: OrderPolicy | None = None,
) -> Quote:
    """Price and explain what somebody wants: the one function that does. None is a guest, who pays the list.

    `policy_now` is for who has it at hand.

    Raises:
        EmptyOrder, BadOrderQuantity: nothing, too many things, or no quantity.
        NotOffered: unknown, hidden, or of a paused merchant.
        CouponDoesNotFit: this coupon takes nothing off here.
        NothingToPay: it costs nothing.
    """
    most = (policy_now or policy()).quantity_max
    variants, quantities = _wanted(wants, most)
    terms = terms_for(person_id=person_id, variants=list(variants.values()), at=at)
    lines = price([_item(variants[pk], count) for pk, count in quantities.items()], terms)
    fitting = _fitting(lines, terms)
    off = 0
    if coupon_ref:
        coupon = next((one for one in terms.coupons if one.reference == coupon_ref), None)
        off = coupon_worth(lines, coupon) if coupon else 0
        if coupon is None or not off:
            raise CouponDoesNotFit
        lines = with_coupon(lines, coupon)
    gift = _gift(lines, terms, person_id, quantities)
    if gift is not None:
        variant, priced = gift
        variants[variant.pk] = variant
        lines.append(priced)
    return _summed(lines, variants, fitting, coupon_ref or "", off)


def shown_fen(variant: Variant, pays_percent: int) -> int:
    """What one piece costs on a level that pays so many hundredths, as lists show it. `variant` has its product."""
    return price([_item(variant, 1)], Terms(pays_percent=pays_percent))[0].total_fen


def _wanted(wants: Sequence[Want], most: int) -> tuple[dict[int, Variant], dict[int, int]]:
    """The variants by id with product and merchant, and how many of each, in the order they were named."""
    if not 1 <= len(wants) <= LINES_MAX:
        raise EmptyOrder(most=LINES_MAX)
    found = {
        variant.reference: variant
        for reference in {reference for reference, _ in wants}
        for variant in _VARIANT(reference)
    }
    quantities: dict[int, int] = {}
    for reference, quantity in wants:
        variant = found.get(reference)
        if variant is None or not _is_sold(variant):
            raise NotOffered
        if type(quantity) is not int or quantity < 1:
            raise BadOrderQuantity(most=most)
        quantities[variant.pk] = quantities.get(variant.pk, 0) + quantity
        if quantities[variant.pk] > most:
            raise BadOrderQuantity(most=most)
    return {variant.pk: variant for variant in found.values()}, quantities


def _is_sold(variant: Variant) -> bool:
    product = variant.product
    return (variant.state, product.state, product.merchant.state) == ("listed", "listed", "active")


def _item(variant: Variant, quantity: int) -> Item:
    return Item(
        variant.pk,
        variant.product_id,
        variant.product.scene_id,
        quantity,
        variant.price_fen,
        tuple((start, fen) for start, fen in variant.quantity_prices),
    )


def _fitting(lines: Sequence[Priced], terms: Terms) -> tuple[CouponChoice, ...]:
    def choice(coupon: CouponTerms) -> CouponChoice:
        off = coupon_worth(lines, coupon)
        return CouponChoice(coupon.reference, coupon.name, off, coupon.expires_at)

    choices = [choice(coupon) for coupon in terms.coupons]
    return tuple(
        sorted((c for c in choices if c.off_fen), key=lambda c: (-c.off_fen, c.expires_at))
    )


def _gift(
    lines: Sequence[Priced], terms: Terms, person_id: int | None, quantities: Mapping[int, int]
) -> tuple[Variant, Priced] | None:
    """What a person's first order brings with it, as long as there is some and nothing has to be asked for it."""
    gift = gift_for(lines, terms.gifts)
    if gift is None or has_bought(person_id):
        return None
    (variant,) = _GIFT(gift.variant_id)
    if variant.product.order_form:
        return None
    needed = gift.quantity + quantities.get(variant.pk, 0)
    left = stock_of([variant.pk], at_most=needed)[variant.pk]
    if left is not None and left < needed:
        return None
    return variant, as_gift(_item(variant, gift.quantity), gift)


def _summed(
    lines: Sequence[Priced],
    variants: Mapping[int, Variant],
    fitting: tuple[CouponChoice, ...],
    coupon_ref: str,
    off: int,
) -> Quote:
    told = tuple(_line_quote(line, variants[line.item.variant_id]) for line in lines)
    payable = sum(line.total_fen for line in told)
    goods = sum(line.goods_fen for line in told)
    if payable < 1:
        raise NothingToPay
    list_fen = sum(line.list_fen for line in told)
    return Quote(told, list_fen, goods, payable, goods - payable, fitting, coupon_ref, off)


def _line_quote(line: Priced, variant: Variant) -> LineQuote:
    offer: tuple[int, int | None] | None = None
    if line.special is not None:
        offer = (line.special.offer_id, line.special.grant_id)
    elif line.gift is not None:
        offer = (line.gift.offer_id, None)
    item = line.item
    return LineQuote(
        variant,
        item.quantity,
        item.unit_fen,
        item.list_fen,
        item.goods_fen,
        line.total_fen,
        line.steps,
        line.gift is not None,
        offer,
    )


def policy() -> OrderPolicy:
    """What may be ordered, and for how long an order waits."""
    return _POLICY()[0]
