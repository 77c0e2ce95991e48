"""Is a member here? Their session has a cookie of its own: a staff login in the same browser is another matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from functools import partial, wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from liuke.base import clock
from liuke.base.prepared import Prepared
from liuke.engagement import queries
from liuke.interfaces.storefront.beacon import NO_NOTES_COOKIE, note
from liuke.people.models import Member
from liuke.people.queries import may_be_noted, zone_of

COOKIE, DAY = "member", "day"
LASTS_DAYS = 30
OUR_PAGES = ("/me/", "/u/", "/shop/", "/pay/back/")


_SESSION = Prepared(lambda key: Session.objects.filter(session_key=key), str)
_MEMBER = Prepared(lambda member: Member.objects.filter(pk=member, erased_at=None), int)


class MemberRequest(HttpRequest):
    """A request of a member who is signed in. `member` is the person's own row, `unread` counts their new messages."""

    member: Member
    unread: Callable[[], int]


View = Callable[..., HttpResponseBase]


def member_of(request: HttpRequest) -> Member | None:
    """The member who is signed in here, or None. A session older than `sessions_from` has ended."""
    key = request.COOKIES.get(COOKIE, "")
    session = _SESSION.first(key) if key.isalnum() else None
    told = session.get_decoded() if session and session.expire_date > clock.now() else {}
    member = _MEMBER.first(told["member"]) if "member" in told else None
    return member if member is not None and _is_in_force(told["since"], member) else None


def persons_of(keys: Collection[str]) -> dict[str, int]:
    """Whose sessions these are, many at once: key → person; those that have ended are left out."""
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=clock.now())
    told = {session.session_key: session.get_decoded() for session in sessions}
    members = Member.objects.filter(erased_at=None).in_bulk(
        {held["member"] for held in told.values() if "member" in held}
    )
    return {
        key: held["member"]
        for key, held in told.items()
        if (member := members.get(held.get("member", 0))) and _is_in_force(held["since"], member)
    }


def _is_in_force(since: str, member: Member) -> bool:
    ended = member.sessions_from
    return ended is None or dt.datetime.fromisoformat(since) >= ended


def keep_notes_choice(response: HttpResponseBase, *, is_given: bool) -> None:
    """Let the script on this device know whether it may note anything: a cookie only where it may not."""
    if is_given:
        response.delete_cookie(NO_NOTES_COOKIE, samesite="Lax")
    else:
        lasts = 400 * 24 * 3600
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(NO_NOTES_COOKIE, "no", max_age=lasts, samesite="Lax", secure=secure)


def note_login(request: HttpRequest, response: HttpResponseBase, member: Member) -> None:
    """The member came: by a code, or with their session for the first time on a day."""
    note(request, member.pk, "login")
    if not may_be_noted([member.pk]):
        keep_notes_choice(response, is_given=False)
    response.set_cookie(
        DAY,
        clock.today().isoformat(),
        max_age=24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def note_day(request: HttpRequest, response: HttpResponseBase, member: Member) -> None:
    """The first page of a day is a login, however long the session has lasted."""
    if request.COOKIES.get(DAY) != clock.today().isoformat():
        note_login(request, response, member)


def sign_in(request: HttpRequest, response: HttpResponseBase, member: Member) -> None:
    """Begin a session under a new key, whatever key the browser came with."""
    _forget(request)
    session = SessionStore()
    session["member"] = member.person_id
    session["since"] = clock.now().isoformat()
    session.set_expiry(LASTS_DAYS * 24 * 3600)
    session.create()
    rotate_token(request)
    response.set_cookie(
        COOKIE,
        str(session.session_key),
        max_age=LASTS_DAYS * 24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def sign_out(request: HttpRequest, response: HttpResponseBase) -> None:
    """End the session in the database and in the browser."""
    _forget(request)
    response.delete_cookie(COOKIE, samesite="Lax")


def members_only(view: View) -> View:
    """Let in who is signed in, as `request.member`; send everyone else to the door. Nothing here is kept by caches."""

    @wraps(view)
    def answer(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = member_of(request)
        if member is None:
            back = request.get_full_path() if request.method == "GET" else ""
            return HttpResponseRedirect(to_the_door(back))
        request.member = member
        request.unread = partial(queries.unread, member.pk)
        response = view(request, *args, **kwargs)
        note_day(request, response, member)
        add_never_cache_headers(response)
        return response

    return answer


def zone_here(member: Member) -> ZoneInfo:
    """The zone in which the member's days are counted: their own, else the site's."""
    name = zone_of(member)
    return ZoneInfo(name) if name else clock.site_zone()


def to_the_door(back: str = "") -> str:
    """The address of the door, remembering where to go afterwards."""
    return reverse("storefront:login") + (f"?{urlencode({'next': back})}" if back else "")


def way_back(request: HttpRequest) -> str:
    """Where the visitor wanted to go: a page of members on this site, else home."""
    back = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return back if is_ours and back.startswith(OUR_PAGES) else reverse("storefront:home")


def _forget(request: HttpRequest) -> None:
    key = request.COOKIES.get(COOKIE, "")
    if key.isalnum():
        SessionStore(key).delete()
