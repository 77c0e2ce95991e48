"""Place an order: fix the price, hold the stock, lock the coupon; all of it or nothing.

Who places two orders at once places them one after the other (a lock a person, and a network for guests), so limits
are counted and not guessed. What others wait for, stock and the coupon's budget, is touched last.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple

from django.db import transaction
from django.db.models import Sum

from liuke.base import clock, ids, sealing
from liuke.base.prepared import Prepared, Written, rows, run
from liuke.catalog.actions import hold_stock
from liuke.catalog.rules import check_answers, read_order_form
from liuke.events.actions import publish
from liuke.membership.actions import lock_coupon, use_offer
from liuke.orders import queries
from liuke.orders.errors import (
    BadOrderKey,
    OrderKeyUsed,
    OrderLimit,
    PersonLimit,
    PriceChanged,
    SignInFirst,
    TooManyUnpaid,
    WrongAnswers,
)
from liuke.orders.events import OrderPlaced
from liuke.orders.models import Line, Order, OrderPolicy
from liuke.orders.queries import SECRETS_PURPOSE, LineQuote, Quote, Want
from liuke.orders.rules import HOLD_GRACE_MINUTES, KEY_LETTERS
from liuke.people.models import Member

_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_UNPAID = (
    "SELECT count(*) FROM orders_order WHERE {column} = %s AND state = 'placed' AND expires_at > %s"
)
_REMEMBER = """
INSERT INTO orders_last_answers AS known (person_id, product_id, answers, at) VALUES (%s, %s, %s, %s)
ON CONFLICT (person_id, product_id) DO UPDATE SET answers = EXCLUDED.answers, at = EXCLUDED.at
WHERE known.answers <> EXCLUDED.answers
"""
_KNOWN = Prepared(
    lambda person_id, key: Order.objects.filter(person_id=person_id, key=key), int, str
)
_ORDER, _LINE = Written(Order), Written(Line)
Answers = dict[int, tuple[dict[str, str], dict[str, str]]]  # product → (open answers, secret ones)


@transaction.atomic
def place_order(
    *,
    member: Member,
    wants: Sequence[Want],
    form: Mapping[str, str],
    key: str,
    expected_fen: int,
    coupon_ref: str | None = None,
    network: str = "",
) -> Order:
    """Agree to buy at the price of this moment, which has to be `expected_fen`; stock is held until the order expires.

    `wants` are (reference of a variant, quantity), `form` the answers to the products' questions by their keys. `key`
    is the form's own: sent again with the same wants, form and coupon it gives the same order. `network` is where a
    guest comes from.

    Raises:
        the refusals of `queries.quote`;
        PriceChanged: it costs something else now.
        OrderKeyUsed, BadOrderKey: the key came with something else, or is none.
        WrongAnswers: a question of a product was not answered, or not like that.
        OrderLimit, PersonLimit, TooManyUnpaid, SignInFirst: more than somebody may order.
        OutOfStock, CouponTaken, BudgetSpent, OfferGone: somebody else was quicker.
    """
    if not 1 <= len(key) <= KEY_LETTERS:
        raise BadOrderKey
    is_guest = queries.is_guest(member)
    network_index = sealing.blind_index(network, "orders.network") if is_guest else ""
    content = _content(wants, form, coupon_ref)
    _take_turns(member, network_index)
    known = _KNOWN.first(member.person_id, key)
    if known is not None:
        if known.content != content:
            raise OrderKeyUsed
        return known
    now = clock.now()
    person_id = None if is_guest else member.person_id
    policy = queries.policy()
    quote = queries.quote(
        person_id=person_id, wants=wants, coupon_ref=coupon_ref, at=now, policy_now=policy
    )
    if quote.payable_fen != expected_fen:
        raise PriceChanged
    _check_unpaid(member, network_index, policy, now)
    _check_limits(member, quote, policy)
    answers = _answers(quote, form)
    order = _write(member, quote, key, content, network_index, policy, now)
    _write_lines(order, quote, answers)
    _remember(order, answers)
    _take(order, quote)
    return order


def _content(wants: Sequence[Want], form: Mapping[str, str], coupon_ref: str | None) -> str:
    """What tells two orders of one key apart. Keyed: the form may hold a secret."""
    told = json.dumps([list(map(list, wants)), dict(form), coupon_ref or ""], sort_keys=True)
    return sealing.blind_index(told, "orders.content")


def _take_turns(member: Member, network_index: str) -> None:
    names = [f"orders.person:{member.person_id}"]
    if network_index:
        names.append(f"orders.network:{network_index}")
    for name in names:
        rows(_TAKE_TURNS, [name])


def _check_unpaid(
    member: Member, network_index: str, policy: OrderPolicy, now: dt.datetime
) -> None:
    if _unpaid("person_id", member.person_id, now) >= policy.unpaid_per_person:
        raise TooManyUnpaid
    if network_index:
        beside = _unpaid("network_index", network_index, now)
        if beside >= policy.unpaid_per_network:
            raise TooManyUnpaid


def _unpaid(column: str, value: int | str, now: dt.datetime) -> int:
    ((count,),) = rows(_UNPAID.format(column=column), [value, now])
    return int(count)


def _check_limits(member: Member, quote: Quote, policy: OrderPolicy) -> None:
    """Gifts do not count: nobody asked for them."""
    is_guest = queries.is_guest(member)
    if is_guest and quote.payable_fen > policy.guest_payable_max_fen:
        raise SignInFirst
    products = {line.variant.product_id: line.variant.product for line in quote.lines}
    bought = {
        pk: sum(
            line.quantity
            for line in quote.lines
            if line.variant.product_id == pk and not line.is_gift
        )
        for pk in products
    }
    for pk, product in products.items():
        if product.per_order_max is not None and bought[pk] > product.per_order_max:
            raise OrderLimit(most=product.per_order_max)
        if product.per_person_max is None or not bought[pk]:
            continue
        if is_guest:
            raise SignInFirst
        had = _had(member.person_id, pk)
        if had + bought[pk] > product.per_person_max:
            raise PersonLimit(most=product.per_person_max, had=had)


def _had(person_id: int, product_id: int) -> int:
    lines = Line.objects.filter(order__person_id=person_id, product_id=product_id, is_gift=False)
    alive = lines.exclude(order__state__in=("cancelled", "refunded"))
    return alive.aggregate(had=Sum("quantity"))["had"] or 0


def _answers(quote: Quote, form: Mapping[str, str]) -> Answers:
    """What was answered to the questions of each product, open and secret.

    Raises:
        WrongAnswers: names every question that has none, or a wrong one.
    """
    answers: Answers = {}
    wrong: dict[str, str] = {}
    for product in {line.variant.product_id: line.variant.product for line in quote.lines}.values():
        if not product.order_form:
            continue
        questions = read_order_form(product.order_form)
        checked = check_answers(questions, form)
        wrong |= checked.wrong
        secret = {question.key for question in questions if question.kind == "secret"}
        answers[product.pk] = (
            {key: told for key, told in checked.answers.items() if key not in secret},
            {key: told for key, told in checked.answers.items() if key in secret},
        )
    if wrong:
        raise WrongAnswers(wrong)
    return answers


def _write(
    member: Member,
    quote: Quote,
    key: str,
    content: str,
    network_index: str,
    policy: OrderPolicy,
    now: dt.datetime,
) -> Order:
    order = Order(
        reference=ids.new_order_number(clock.local_date(now)),
        member=member,
        person_id=member.person_id,
        key=key,
        content=content,
        list_fen=quote.list_fen,
        goods_fen=quote.goods_fen,
        payable_fen=quote.payable_fen,
        subsidy_fen=quote.subsidy_fen,
        coupon_ref=quote.coupon_ref,
        network_index=network_index,
        placed_at=now,
        expires_at=now + dt.timedelta(minutes=policy.pay_minutes),
    )
    if queries.is_guest(member):
        order.guest_index = queries.guest_index(queries.guest_token(order))
    return _ORDER(order)


def _write_lines(order: Order, quote: Quote, answers: Answers) -> None:
    for number, line in enumerate(quote.lines, start=1):
        _LINE(_line(order, number, line, *answers.get(line.variant.product_id, ({}, {}))))


def _line(
    order: Order, number: int, line: LineQuote, told: dict[str, str], secret: dict[str, str]
) -> Line:
    product = line.variant.product
    sealed = None
    if secret:
        sealed = sealing.seal(json.dumps(secret), f"{SECRETS_PURPOSE}:{order.pk}")
    return Line(
        order=order,
        number=number,
        merchant_id=product.merchant_id,
        product_id=product.pk,
        variant_id=line.variant.pk,
        kind=product.kind,
        title=product.title,
        variant_name=line.variant.name,
        quantity=line.quantity,
        list_fen=line.list_fen,
        goods_fen=line.goods_fen,
        total_fen=line.total_fen,
        steps=[astuple(step) for step in line.steps],
        is_gift=line.is_gift,
        fee_permyriad=product.merchant.fee_permyriad,
        accept_days=product.accept_days,
        arrival_minutes=product.arrival_minutes,
        answers=told,
        secrets_sealed=sealed,
    )


def _remember(order: Order, answers: Answers) -> None:
    for product_id, (told, _) in sorted(answers.items()):
        run(_REMEMBER, [order.person_id, product_id, json.dumps(told), order.placed_at])


def _take(order: Order, quote: Quote) -> None:
    """What others may want too, last: offers, stock, the coupon and its budget; then the news."""
    until = order.expires_at + dt.timedelta(minutes=HOLD_GRACE_MINUTES)
    for line in quote.lines:
        if line.offer is not None:
            offer_id, grant_id = line.offer
            use_offer(
                offer_id=offer_id,
                grant_id=grant_id,
                person_id=order.person_id,
                order_ref=order.reference,
            )
    hold_stock(
        token=order.reference,
        wants=[(line.variant.pk, line.quantity) for line in quote.lines],
        until=until,
    )
    publish(
        OrderPlaced(
            order_id=order.pk,
            reference=order.reference,
            person_id=order.person_id,
            is_guest=order.guest_index is not None,
            payable_fen=order.payable_fen,
            subsidy_fen=order.subsidy_fen,
        ),
        member=order.member_id,
        at=order.placed_at,
    )
    if quote.coupon_ref:
        lock_coupon(
            coupon_ref=quote.coupon_ref,
            order_ref=order.reference,
            person_id=order.person_id,
            off_fen=quote.coupon_off_fen,
            until=order.expires_at,
        )
