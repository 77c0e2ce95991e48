"""What does it cost, and what was ordered?"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from liuke.base import ids, sealing
from liuke.base.audit import Invariant
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
    UnknownOrder,
)
from liuke.orders.models import LastAnswers, Line, Order, OrderPolicy
from liuke.orders.rules import (
    GUEST_PREFIX,
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
from liuke.people.models import Member
from liuke.people.rules import SITE_SOURCE

Want = tuple[str, int]  # reference of a variant, quantity
SECRETS_PURPOSE = "orders.secrets"
_GUEST, _GUEST_INDEX = "orders.guest", "orders.guest_index"


# The price ----------------------------------------------------------------------------------------


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


def _wanted(wants: Sequence[Want], most: int) -> tuple[dict[int, Variant], dict[int, int]]:
    """The variants by id with product and merchant, and how many of each, in the order they were named."""
    if not 1 <= len(wants) <= LINES_MAX:
        raise EmptyOrder(most=LINES_MAX)
    found = {
        variant.reference: variant
        for variant in Variant.objects.select_related("product__merchant").filter(
            reference__in={reference for reference, _ in wants}
        )
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
    """What a person's first order brings with it, as long as there is some."""
    gift = gift_for(lines, terms.gifts)
    if gift is None or has_bought(person_id):
        return None
    variant = Variant.objects.select_related("product__merchant").get(pk=gift.variant_id)
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


# Orders -------------------------------------------------------------------------------------------


def policy() -> OrderPolicy:
    """What may be ordered, and for how long an order waits."""
    return OrderPolicy.objects.latest("version")


def order_named(text: str) -> Order:
    """The order of that number, however it was typed; for staff and for the rooms above.

    Raises:
        UnknownOrder: there is none.
    """
    return _one(Order.objects.filter(reference=ids.read_order_number(text) or ""))


def order_of(person_id: int, text: str) -> Order:
    """A person's order of that number.

    Raises:
        UnknownOrder: there is none, or it is someone else's.
    """
    return _one(
        Order.objects.filter(reference=ids.read_order_number(text) or "", person_id=person_id)
    )


def order_of_guest(token: str) -> Order:
    """The order that a guest's link opens; no longer once it was claimed by someone signed in.

    Raises:
        UnknownOrder: the link opens nothing.
    """
    return _one(Order.objects.filter(guest_index=guest_index(token)))


def _one(found: QuerySet[Order]) -> Order:
    order = found.select_related("member").first()
    if order is None:
        raise UnknownOrder
    return order


def orders_of(person_id: int) -> QuerySet[Order]:
    """A person's orders, the last first."""
    return Order.objects.filter(person_id=person_id).order_by("-id")


def lines_of(order_id: int) -> QuerySet[Line]:
    """What is in an order, in the order it was named; gifts last."""
    return (
        Line.objects.filter(order_id=order_id)
        .select_related("product", "variant", "merchant")
        .order_by("number")
    )


def quantities_of(order_id: int) -> dict[int, int]:
    """Product → how many of it an order has, gifts apart."""
    lines = Line.objects.filter(order_id=order_id, is_gift=False).order_by("product_id")
    return dict(lines.values_list("product_id").annotate(wanted=Sum("quantity")))


def has_bought(person_id: int | None) -> bool:
    """Whether a person has paid for an order that was not refunded."""
    return (
        Order.objects.filter(person_id=person_id, paid_at__isnull=False)
        .exclude(state="refunded")
        .exists()
    )


def last_answers(person_id: int, product_id: int) -> dict[str, str]:
    """What a person answered to a product's questions the last time; empty when never."""
    told = LastAnswers.objects.filter(person_id=person_id, product_id=product_id).first()
    return dict(told.answers) if told else {}


def secrets_of(line: Line) -> dict[str, str]:
    """The secret answers of a line in plain, for whoever does the work; empty once they were wiped."""
    if line.secrets_sealed is None:
        return {}
    told = sealing.unseal(bytes(line.secrets_sealed), f"{SECRETS_PURPOSE}:{line.order_id}")
    return dict(json.loads(told))


# Guests -------------------------------------------------------------------------------------------


def is_guest(member: Member) -> bool:
    """Whether this member is a device that nobody has signed in on."""
    return member.source == SITE_SOURCE and member.external_id.startswith(GUEST_PREFIX)


def guest_token(order: Order) -> str:
    """What opens a guest's order: 128 bits made from its number and the master key, kept nowhere."""
    return sealing.blind_index(order.reference, _GUEST)


def guest_index(token: str) -> str:
    """What is kept of a guest's token."""
    return sealing.blind_index(token, _GUEST_INDEX)


# Promises -----------------------------------------------------------------------------------------


def invariants() -> list[Invariant]:
    """What this room promises about its tables."""
    return [
        Invariant(
            "orders.orders_are_the_sum_of_their_lines",
            "What an order lists, owes and asks for is what its lines do, to the fen",
            "SELECT o.id FROM orders_order o LEFT JOIN (SELECT order_id, sum(list_fen) AS list_fen,"
            " sum(goods_fen) AS goods_fen, sum(total_fen) AS total_fen FROM orders_line GROUP BY order_id) l"
            " ON l.order_id = o.id WHERE (o.list_fen, o.goods_fen, o.payable_fen)"
            " IS DISTINCT FROM (l.list_fen, l.goods_fen, l.total_fen)",
        ),
        Invariant(
            "orders.steps_explain_the_price",
            "The steps of every line add up to what the member pays for it",
            "SELECT l.id FROM orders_line l WHERE l.total_fen <> (SELECT coalesce(sum((step->>2)::bigint), 0)"
            " FROM jsonb_array_elements(l.steps) step)",
        ),
        Invariant(
            "orders.coupons_fit_their_orders",
            "A coupon is locked by an unpaid order of its own person and used by a paid one, for what the lines say",
            "SELECT c.id FROM membership_coupon c LEFT JOIN orders_order o ON o.reference = c.order_ref"
            " WHERE c.state <> 'free' AND (o.id IS NULL OR o.coupon_ref <> c.reference OR o.person_id <> c.person_id"
            " OR (c.state = 'locked') <> (o.state = 'placed') OR o.state IN ('cancelled', 'refunded')"
            " OR c.off_fen <> (SELECT -sum((step->>2)::bigint) FROM orders_line l,"
            " jsonb_array_elements(l.steps) step WHERE l.order_id = o.id AND step->>0 = 'coupon'))",
        ),
        Invariant(
            "orders.offers_fit_their_orders",
            "What makes use of an offer is a living order of the same person; special prices and gifts have their use",
            "SELECT u.order_ref FROM membership_offer_use u LEFT JOIN orders_order o ON o.reference = u.order_ref"
            " WHERE o.id IS NULL OR o.person_id <> u.person_id"
            " OR (u.returned_at IS NULL AND o.state IN ('cancelled', 'refunded'))"
            " UNION ALL SELECT o.reference FROM orders_order o JOIN orders_line l ON l.order_id = o.id,"
            " jsonb_array_elements(l.steps) step"
            " WHERE o.state NOT IN ('cancelled', 'refunded') AND step->>0 IN ('special', 'gift')"
            " AND NOT EXISTS (SELECT 1 FROM membership_offer_use u"
            " WHERE u.order_ref = o.reference AND u.returned_at IS NULL)",
        ),
        Invariant(
            "orders.stock_is_held_for_orders",
            "Every order that waits for its money has stock under its number",
            "SELECT o.id FROM orders_order o LEFT JOIN catalog_hold h ON h.token = o.reference"
            " WHERE o.state = 'placed' AND h.id IS NULL",
        ),
        Invariant(
            "orders.everyone_has_their_own",
            "An order belongs to its member's person, and guests have a link to theirs",
            "SELECT o.id FROM orders_order o JOIN people_member m ON m.id = o.member_id"
            " WHERE o.person_id <> m.person_id"
            f" OR (o.guest_index IS NOT NULL) <> (m.source = '{SITE_SOURCE}'"
            f" AND m.external_id LIKE '{GUEST_PREFIX}%')",
        ),
    ]
