"""What was bought, in one's hands: show a key, say that it works or what is wrong, and see who has looked at it.

A key is named by the order, the line in it and the place in the line; no row number stands in an address. It is shown
only in the answer to its owner's own tap, which no cache keeps, and is never part of an address, a title or a log.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from liuke.base.errors import Refusal
from liuke.catalog.models import KeyAccess
from liuke.catalog.queries import access_history
from liuke.delivery.actions import accept_delivery, mark_tried, reject_delivery, reveal
from liuke.delivery.errors import UnknownDelivery, UnknownReason
from liuke.delivery.models import DeliveredKey, Rejection
from liuke.interfaces.storefront.devices import network_of
from liuke.interfaces.storefront.shop import words
from liuke.interfaces.storefront.shop.holding import held_order, holders_only, page_of
from liuke.interfaces.storefront.shop.orders import order_page
from liuke.interfaces.storefront.shop.visiting import ShopRequest, owners_only, who
from liuke.interfaces.ui.catalog_words import access_role_name
from liuke.interfaces.ui.refusals import status_of
from liuke.orders.models import Line, Order
from liuke.orders.queries import lines_of

PAGE = 50


@owners_only
@require_safe
def keys(request: ShopRequest) -> HttpResponse:
    """Every key that was ever delivered to whoever is here, the last first, masked."""
    someone = who(request)
    assert someone is not None
    mine = DeliveredKey.objects.filter(delivery__order__person_id=someone.person_id)
    found = mine.select_related("key", "delivery__order", "delivery__line__product").order_by("-id")
    return render(request, "store/keys.html", {"here": "keys", "keys": list(found[:PAGE])})


@sensitive_variables()
@holders_only
@require_POST
def show(request: ShopRequest, line: int, seq: int, **named: str) -> HttpResponse:
    """Show a key; that somebody looked is written down first.

    Raises:
        UnknownOrder, UnknownDelivery: there is none, or it is someone else's. KeyReturned: its price went back.
    """
    order = held_order(request, **named)
    key = _key(order, line, seq)
    text = reveal(key_id=key.pk, member=order.member, ip=network_of(request))
    return order_page(request, order, plain=(key.pk, text.reveal()), token=named.get("token", ""))


@holders_only
@require_POST
def tried(request: ShopRequest, line: int, seq: int, **named: str) -> HttpResponse:
    """The owner has used a key.

    Raises:
        UnknownOrder, UnknownDelivery: there is none, or it is someone else's.
        KeyReturned, NotSeenYet: it cannot have been.
    """
    order = held_order(request, **named)
    mark_tried(key_id=_key(order, line, seq).pk, member=order.member)
    return HttpResponseRedirect(page_of(order, **named))


@holders_only
@require_POST
def accept(request: ShopRequest, line: int, **named: str) -> HttpResponse:
    """It is good: the merchant gets their money.

    Raises:
        UnknownOrder, UnknownDelivery: there is none, or it is someone else's.
        NotDelivered, AlreadySettled, RejectionOpen: it is somewhere else.
    """
    order = held_order(request, **named)
    accept_delivery(line_id=_line(order, line).pk, member=order.member)
    messages.success(request, gettext("Thank you. The merchant is paid now."))
    return HttpResponseRedirect(page_of(order, **named))


@holders_only
@require_http_methods(["GET", "HEAD", "POST"])
def reject(request: ShopRequest, line: int, **named: str) -> HttpResponse:
    """Something is wrong: with the whole line, or with one key of it (`key`).

    Raises:
        UnknownOrder, UnknownDelivery: there is none, or it is someone else's.
    """
    order = held_order(request, **named)
    bought = _line(order, line)
    key = _named_key(request, order, line)
    refusal = None
    if request.method == "POST":
        try:
            _reject(request, order, bought, key)
            return HttpResponseRedirect(page_of(order, **named))
        except Refusal as refused:
            refusal = refused
    context = {
        "here": "orders",
        "base": page_of(order, **named),
        "order": order,
        "line": bought,
        "key": key,
        "reasons": _reasons(bought, key),
        "reason": request.POST.get("reason", ""),
        "note": request.POST.get("note", ""),
        "refusal": refusal,
    }
    status = status_of(refusal) if refusal else 200
    return render(request, "store/reject.html", context, status=status)


@holders_only
@require_safe
def history(request: ShopRequest, line: int, seq: int, **named: str) -> HttpResponse:
    """Everybody who was ever shown a key.

    Raises:
        UnknownOrder, UnknownDelivery: there is none, or it is someone else's.
    """
    order = held_order(request, **named)
    key = _key(order, line, seq)
    seen = [(access, _who_looked(access, order)) for access in access_history(key.key_id)]
    context = {
        "here": "orders",
        "base": page_of(order, **named),
        "order": order,
        "line": _line(order, line),
        "key": key,
        "seen": seen,
    }
    return render(request, "store/history.html", context)


def _reject(request: ShopRequest, order: Order, line: Line, key: DeliveredKey | None) -> None:
    reason = request.POST.get("reason", "")
    if reason not in dict(_reasons(line, key)):
        raise UnknownReason
    rejection = reject_delivery(
        line_id=line.pk,
        member=order.member,
        reason=reason,
        key_id=key.pk if key else None,
        note=request.POST.get("note", ""),
    )
    messages.success(request, _answer(rejection))


def _answer(rejection: Rejection) -> str:
    if rejection.state == "granted":
        return gettext("It is taken back, and your money with it.")
    return gettext("Somebody looks at it now. Your money waits with us meanwhile.")


def _reasons(line: Line, key: DeliveredKey | None) -> list[tuple[str, str]]:
    """What can be wrong: with work that is not done only that it is late; a key was used, work was not."""
    is_key = line.kind == "card_key"
    delivery = getattr(line, "delivery", None)
    if key is None and delivery is not None and delivery.state == "waiting":
        return [("too_late", words.reason_says("too_late"))]
    left_out = {"too_late", *(() if is_key else ("already_used",))}
    return [(code, words.reason_says(code)) for code in words.REASONS if code not in left_out]


def _who_looked(access: KeyAccess, order: Order) -> str:
    if access.person_id == order.person_id:
        return gettext("you")
    return access_role_name(access.role)


def _line(order: Order, number: int) -> Line:
    found = lines_of(order.pk).filter(number=number).first()
    if found is None:
        raise UnknownDelivery
    return found


def _key(order: Order, number: int, seq: int) -> DeliveredKey:
    found = DeliveredKey.objects.select_related("key").filter(
        delivery__order=order, delivery__line__number=number, seq=seq
    )
    key = found.first()
    if key is None:
        raise UnknownDelivery
    return key


def _named_key(request: ShopRequest, order: Order, line: int) -> DeliveredKey | None:
    """The key that the address or the form names; None for the whole line.

    Raises:
        UnknownDelivery: it names none that there is.
    """
    named = request.POST.get("key", "") or request.GET.get("key", "")
    if not named:
        return None
    if not (named.isascii() and named.isdecimal() and len(named) < 6):
        raise UnknownDelivery
    return _key(order, line, int(named))
