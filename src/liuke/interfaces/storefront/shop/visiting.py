"""Who is in the shop? A member who signed in, a guest who bought on this device, or somebody unknown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.engagement import queries as engagement
from liuke.interfaces.storefront.devices import device_of, remember_device
from liuke.interfaces.storefront.pages import refused
from liuke.interfaces.storefront.sessions import member_of, note_day, to_the_door, zone_here
from liuke.orders.errors import UnknownOrder
from liuke.orders.models import Order
from liuke.orders.queries import is_guest, order_of
from liuke.people.models import Member

COOKIE = "guest"
_SALT = "storefront.guest"
_LASTS_SECONDS = 400 * 24 * 3600


class ShopRequest(HttpRequest):
    """A request in the shop. `member` is signed in; without one `guest` is what this `device` bought as."""

    member: Member | None
    guest: Member | None
    device: str
    unread: Callable[[], int]


View = Callable[..., HttpResponseBase]


class NobodyYet(Exception):
    """Somebody unknown asks for what is somebody's own: to the door."""


def open_to_all(view: View) -> View:
    """For everybody, with refusals told as pages; kept by no cache, in the visitor's time zone."""

    @wraps(view)
    def answer(request: ShopRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        look_who_is_here(request)
        with timezone.override(_zone(request)):
            try:
                response = view(request, *args, **kwargs)
            except NobodyYet:
                back = request.get_full_path() if request.method == "GET" else ""
                response = HttpResponseRedirect(to_the_door(back))
            except Refusal as refusal:
                response = refused(request, refusal)
        if request.member is not None:
            note_day(request, response, request.member)
        add_never_cache_headers(response)
        return response

    return answer


def owners_only(view: View) -> View:
    """The same for whoever has bought here: others are sent to the door."""

    @wraps(view)
    def answer(request: ShopRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if who(request) is None:
            raise NobodyYet
        return view(request, *args, **kwargs)

    return open_to_all(answer)


def members_only(view: View) -> View:
    """The same for those who signed in."""

    @wraps(view)
    def answer(request: ShopRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.member is None:
            raise NobodyYet
        return view(request, *args, **kwargs)

    return open_to_all(answer)


def look_who_is_here(request: ShopRequest) -> None:
    """Fill in what a `ShopRequest` has."""
    request.device = device_of(request)
    request.member = member_of(request)
    request.guest = None if request.member else _guest_of(request)
    request.unread = partial(engagement.unread, request.member.pk) if request.member else _none


def who(request: ShopRequest) -> Member | None:
    """Whose orders are shown here."""
    return request.member or request.guest


def person_of(request: ShopRequest) -> int | None:
    """Whose prices are shown here: a guest pays the list."""
    return request.member.pk if request.member else None


def own_order(request: ShopRequest, reference: str) -> Order:
    """An order of whoever is here.

    Raises:
        UnknownOrder: there is none, or it is someone else's. NobodyYet: the same, asked by a guest, who may sign in.
    """
    someone = who(request)
    try:
        if someone is None:
            raise UnknownOrder
        return order_of(someone.person_id, reference)
    except UnknownOrder:
        if request.member is None:
            raise NobodyYet from None
        raise


def remember_guest(request: ShopRequest, response: HttpResponseBase, member: Member) -> None:
    """Let the device open what it bought as a guest; nothing to do for who is signed in."""
    if request.member is not None:
        return
    remember_device(response, request.device)
    response.set_signed_cookie(
        COOKIE,
        member.reference,
        salt=_SALT,
        max_age=_LASTS_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _guest_of(request: HttpRequest) -> Member | None:
    reference: str | None = request.get_signed_cookie(COOKIE, default=None, salt=_SALT)
    if not reference:
        return None
    found = Member.objects.filter(reference=reference, erased_at=None).first()
    return found if found is not None and is_guest(found) else None


def _zone(request: ShopRequest) -> ZoneInfo:
    return zone_here(request.member) if request.member else clock.site_zone()


def _none() -> int:
    return 0
