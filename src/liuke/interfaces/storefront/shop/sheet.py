"""The sheet on which somebody buys: how many, what the shop has to know, which coupon, how to pay, and one button.

It is a page of its own; where there is a script it comes up over the page one was on. Every button but the last
only prices anew. The last one says which price was read: when it is another one now, both are shown and nothing is
bought. The key makes a second tap, in this tab or another, the same order.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.catalog.errors import UnknownVariant
from liuke.catalog.queries import ProductPage, VariantOffer, product_page, variant_by_reference
from liuke.interfaces.storefront.devices import network_of, remember_device
from liuke.interfaces.storefront.shop import shelf, showing, words
from liuke.interfaces.storefront.shop.errors import NoWayToPay
from liuke.interfaces.storefront.shop.paying import Way, begin, preset, way_keys, ways_for
from liuke.interfaces.storefront.shop.product import choose, just_ordered
from liuke.interfaces.storefront.shop.visiting import (
    ShopRequest,
    open_to_all,
    person_of,
    remember_guest,
    who,
)
from liuke.interfaces.ui.refusals import status_of
from liuke.orders.actions import join_as_guest, place_order
from liuke.orders.errors import (
    BadOrderQuantity,
    CouponDoesNotFit,
    NotOffered,
    OrderKeyUsed,
    PriceChanged,
    SignInFirst,
    WrongAnswers,
)
from liuke.orders.models import Order
from liuke.orders.queries import Quote, last_answers, policy, quote
from liuke.people.models import Member

ANSWER = "answer-"
KEY_LETTERS = 32
BEST = "best"  # what the coupon field says before somebody chose


@dataclass(frozen=True)
class Wish:
    """What is on the form. `coupon` is a reference, "" for none, BEST for whatever takes off most."""

    variant: str
    quantity: int
    coupon: str = BEST
    way: str = ""
    key: str = ""
    expected_fen: int = -1
    answers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asking:
    """A question of the order form with what was answered, and what is wrong with that."""

    key: str
    label: str
    kind: str
    choices: tuple[str, ...]
    pattern: str
    is_required: bool
    help: str
    answer: str
    problem: str


@open_to_all
@require_http_methods(["GET", "HEAD", "POST"])
def buy(request: ShopRequest, reference: str) -> HttpResponseBase:
    """The sheet of a product, and buying it.

    Raises:
        UnknownProduct: there is none of this reference, or it is not offered.
    """
    do = request.POST.get("do", "pay") if request.method == "POST" else ""
    if do == "pay":
        response = _buy(request, reference, _read(request.POST))
    else:
        page = product_page(reference)
        showing.note_click(request, page.product)
        wish = _moved(_read(request.POST), do) if do else _asked(request, page)
        response = _sheet(request, page, wish)
    if request.member is None:
        remember_device(response, request.device)  # so that a second tap comes from the same guest
    return response


def _buy(request: ShopRequest, reference: str, wish: Wish) -> HttpResponse:
    """What the sheet would show again is asked for only when it has to be shown."""
    try:
        order = _place(request, reference, wish)
    except Refusal as refusal:
        return _sheet(request, product_page(reference), wish, refusal)
    response = begin(request, order, wish.way)
    remember_guest(request, response, order.member)
    return response


def _place(request: ShopRequest, reference: str, wish: Wish) -> Order:
    if variant_by_reference(wish.variant).product.reference != reference:
        raise UnknownVariant
    if wish.way not in way_keys(request):
        raise NoWayToPay
    if wish.quantity < 1:
        raise BadOrderQuantity(most=policy().quantity_max)
    if request.member is not None:
        return _order(request, wish, request.member)
    with transaction.atomic():  # a device that is refused is no guest
        return _order(request, wish, join_as_guest(device=request.device))


def _order(request: ShopRequest, wish: Wish, member: Member) -> Order:
    wants = [(wish.variant, wish.quantity)]
    coupon = _best(person_of(request), wants) if wish.coupon == BEST else wish.coupon
    return place_order(
        member=member,
        wants=wants,
        form=wish.answers,
        key=wish.key,
        expected_fen=wish.expected_fen,
        coupon_ref=coupon or None,
        network=network_of(request),
    )


def _sheet(
    request: ShopRequest, page: ProductPage, wish: Wish, refusal: Refusal | None = None
) -> HttpResponse:
    chosen = choose(page, wish.variant)
    if chosen is None:
        raise NotOffered
    priced, wish, refusal = _price(request, chosen, wish, refusal)
    ways = ways_for(request, priced.payable_fen if priced else 0)
    someone = who(request)
    context = {
        "page": page,
        "p": page.product,
        "glyph": shelf.glyph_of(page.product),
        "hue": shelf.hue_of(page.product),
        "chosen": chosen,
        "wish": wish,
        "quote": priced,
        "most": _most(chosen, page),
        "askings": _askings(request, page, wish, refusal),
        "ways": ways,
        "way": _way(request, wish, ways),
        "key": wish.key if _is_new(wish, refusal) else secrets.token_hex(KEY_LETTERS // 2),
        "refusal": refusal,
        "old_fen": wish.expected_fen if isinstance(refusal, PriceChanged) else None,
        "must_sign_in": isinstance(refusal, SignInFirst),
        "just": just_ordered(someone, page.product),
        "back": f"{reverse('shop:buy', args=[page.product.reference])}?v={chosen.variant.reference}&n={wish.quantity}",
    }
    status = status_of(refusal) if refusal else 200
    return render(request, "store/sheet.html", context, status=status)


def _price(
    request: ShopRequest, chosen: VariantOffer, wish: Wish, refusal: Refusal | None
) -> tuple[Quote | None, Wish, Refusal | None]:
    """What the wish costs, with the wish as it can be: a quantity that cannot be is 1, a coupon that cannot be none."""
    person_id, at = person_of(request), clock.now()
    wish = replace(wish, variant=chosen.variant.reference)
    wants = [(wish.variant, wish.quantity)]
    try:
        coupon = _best(person_id, wants) if wish.coupon == BEST else wish.coupon
        priced = quote(person_id=person_id, wants=wants, coupon_ref=coupon or None, at=at)
        return priced, replace(wish, coupon=coupon), refusal
    except BadOrderQuantity as wrong:
        return _price(request, chosen, replace(wish, quantity=1), refusal or wrong)
    except CouponDoesNotFit as wrong:
        return _price(request, chosen, replace(wish, coupon=BEST), refusal or wrong)
    except Refusal as wrong:
        return None, wish, refusal or wrong


def _best(person_id: int | None, wants: list[tuple[str, int]]) -> str:
    """The coupon that takes off most; "" when none does."""
    fitting = quote(person_id=person_id, wants=wants, at=clock.now()).coupons
    return fitting[0].reference if fitting else ""


def _asked(request: ShopRequest, page: ProductPage) -> Wish:
    """The form as it is opened: what the address says, and what was answered the last time."""
    someone = who(request)
    told = last_answers(someone.person_id, page.product.pk) if someone else {}
    return Wish(
        variant=request.GET.get("v", ""), quantity=_whole(request.GET.get("n", "1")), answers=told
    )


def _read(form: QueryDict) -> Wish:
    return Wish(
        variant=form.get("v", ""),
        quantity=_whole(form.get("n", "")),
        coupon=form.get("coupon", BEST),
        way=form.get("way", ""),
        key=form.get("key", ""),
        expected_fen=_whole(form.get("expected", ""), nothing=-1),
        answers={
            name.removeprefix(ANSWER): value
            for name, value in form.items()
            if name.startswith(ANSWER) and isinstance(value, str)
        },
    )


def _moved(wish: Wish, do: str) -> Wish:
    """The wish after a button that only prices: one more, one less, or as the fields say."""
    step = {"more": 1, "less": -1}.get(do, 0)
    quantity = max(1, wish.quantity + step) if step else wish.quantity
    return replace(wish, quantity=quantity)


def _whole(text: str, nothing: int = 0) -> int:
    """A whole number as typed; `nothing` for what is none."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= 9
    return int(text) if is_number else nothing


def _most(chosen: VariantOffer, page: ProductPage) -> int:
    limits = [policy().quantity_max, page.product.per_order_max, chosen.left]
    return max(1, min(limit for limit in limits if limit is not None))


def _is_new(wish: Wish, refusal: Refusal | None) -> bool:
    """Whether the key of the form can be used again: it names no order yet."""
    return 8 <= len(wish.key) <= KEY_LETTERS and not isinstance(refusal, OrderKeyUsed)


def _way(request: ShopRequest, wish: Wish, ways: list[Way]) -> str:
    usable = [way.key for way in ways if way.is_enough]
    return wish.way if wish.way in usable else preset(request, usable)


def _askings(
    request: ShopRequest, page: ProductPage, wish: Wish, refusal: Refusal | None
) -> list[Asking]:
    """The questions; a secret answer is asked anew each time, so that it is in no page."""
    wrong = refusal.wrong if isinstance(refusal, WrongAnswers) else {}
    return [
        Asking(
            key=f"{ANSWER}{question.key}",
            label=question.label,
            kind=question.kind,
            choices=question.choices,
            pattern=question.pattern,
            is_required=question.is_required,
            help=question.help,
            answer="" if question.kind == "secret" else wish.answers.get(question.key, ""),
            problem=words.wrong_answer_says(wrong.get(question.key, "")),
        )
        for question in page.questions
    ]
