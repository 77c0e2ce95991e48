"""The shop's first page: find something, buy the last thing again, or look around by scene."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import check_for_language, get_language
from django.views.decorators.http import require_safe

from liuke.interfaces.storefront.sessions import COOKIE as MEMBER
from liuke.interfaces.storefront.shop import shelf, showing
from liuke.interfaces.storefront.shop.kept import Kept
from liuke.interfaces.storefront.shop.showing import Strip
from liuke.interfaces.storefront.shop.visiting import COOKIE as GUEST
from liuke.interfaces.storefront.shop.visiting import ShopRequest, open_to_all, person_of, who
from liuke.interfaces.ui.context import THEMES
from liuke.membership.queries import pays_percent_of
from liuke.orders.queries import Again, again_of

SCENE, EVERYTHING = "scene", "all"
TEXT_LETTERS, PAGES_MAX = 60, 50
_A_YEAR = 365 * 24 * 3600

_pages: Kept[tuple[bytes, bytes]] = Kept(5)
_drawn: Kept[SafeString] = Kept(5)


@dataclass(frozen=True)
class Asked:
    """What of the shop is wanted; `scene` is "" before anybody chose and EVERYTHING for all."""

    text: str
    scene: str
    page: int

    @property
    def only(self) -> str:
        """The scene a list is narrowed to."""
        return "" if self.scene == EVERYTHING else self.scene


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """The first page. For whoever has bought nothing here it is made once for all."""
    if request.COOKIES.get(MEMBER) or request.COOKIES.get(GUEST):
        response = _own_home(request)
    else:
        response = _common_home(request)
        add_never_cache_headers(response)
    if request.GET.get(SCENE):
        response.set_cookie(SCENE, _asked(request).scene, max_age=_A_YEAR, samesite="Lax")
    return response


@require_safe
def look(request: HttpRequest) -> HttpResponse:
    """Remember the theme or the language, and go back: links, so that a page for everybody needs no form."""
    back = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or back.startswith("//"):
        back = reverse("shop:home")
    response = HttpResponseRedirect(back)
    theme, language = request.GET.get("theme", ""), request.GET.get("lang", "")
    if theme in THEMES:
        response.set_cookie("theme", theme, max_age=_A_YEAR, samesite="Lax")
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=_A_YEAR, samesite="Lax"
        )
    return response


@open_to_all
def _own_home(request: ShopRequest) -> HttpResponse:
    person_id = person_of(request)
    pays_percent = pays_percent_of(person_id) if person_id else shelf.FULL_PRICE
    someone, asked = who(request), _asked(request)
    again = again_of(someone.person_id) if someone and not asked.text else None
    strips: tuple[Strip, ...] = ()
    if request.member and not asked.text and not asked.page:
        without = again.product if again and not again.is_unpaid else ""
        strips = showing.on_home(request, asked.only, pays_percent, without=without)
    return HttpResponse(_html(request, asked, again, strips, pays_percent))


def _common_home(request: HttpRequest) -> HttpResponse:
    asked, theme = _asked(request), request.COOKIES.get("theme", "")
    key = (asked, get_language(), theme if theme in THEMES else "", request.get_full_path())

    def make() -> tuple[bytes, bytes]:
        page = _html(request, asked).encode()
        return page, gzip.compress(page, 6, mtime=0)

    plain, zipped = _pages.get(key, make)
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(zipped if takes_gzip else plain)
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding", "Cookie"])
    return response


def _html(
    request: HttpRequest,
    asked: Asked,
    again: Again | None = None,
    strips: tuple[Strip, ...] = (),
    pays_percent: int = shelf.FULL_PRICE,
) -> str:
    context = {
        "here": "shop",
        "asked": asked,
        "again": again,
        "strips": strips,
        "shelves": _drawn.get(
            (asked, pays_percent, get_language()), lambda: _draw(asked, pays_percent)
        ),
    }
    return render_to_string("store/home.html", context, request)


def _draw(asked: Asked, pays_percent: int) -> SafeString:
    """What is the same for everybody of a level: most of the page, and most of the work."""
    is_list = bool(asked.text or asked.only)
    context = {
        "asked": asked,
        "scenes": shelf.scenes(),
        "found": shelf.found(asked.text, asked.only, asked.page, pays_percent) if is_list else None,
        "shelves": () if is_list else shelf.shelves(pays_percent),
        "next_page": asked.page + 2,
    }
    return render_to_string("store/shelves.html", context)


def _asked(request: HttpRequest) -> Asked:
    known = {scene.key for scene in shelf.scenes()} | {EVERYTHING}
    wanted = request.GET.get(SCENE) or request.COOKIES.get(SCENE, "")
    number = request.GET.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 4 else 1
    return Asked(
        text=" ".join(request.GET.get("q", "").split())[:TEXT_LETTERS],
        scene=wanted if wanted in known else "",
        page=min(max(page, 1), PAGES_MAX) - 1,
    )


def forget() -> None:
    """Make the pages anew at once."""
    _pages.clear()
    _drawn.clear()
    showing.forget()
    shelf.forget()
