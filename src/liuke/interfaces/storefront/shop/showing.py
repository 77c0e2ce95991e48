"""What a member is shown because it may fit: a few products, each with its reason, and a mark that tells where a
click came from.

The mark names slot and day and is signed for the member: followed by anybody else, or made up, it counts nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_noop

from liuke.analytics.actions.note_shown import note_clicked, note_shown
from liuke.analytics.queries import shown_lists as lists
from liuke.analytics.queries.shown_lists import (
    ATTRIBUTED_DAYS,
    SLOTS,
    OwnLists,
    Suggested,
    is_followed_news,
)
from liuke.base import clock
from liuke.catalog.models import Product
from liuke.interfaces.storefront.beacon import wants_no_notes
from liuke.interfaces.storefront.shop import shelf, words
from liuke.interfaces.storefront.shop.kept import Kept
from liuke.interfaces.storefront.shop.shelf import Item
from liuke.interfaces.storefront.shop.visiting import ShopRequest

MARK = "s"
MOST = {"followed": 2, "rebuy": 3, "discover": 4, "alongside": 3, "popular": 4}
_TITLES = {
    "followed": gettext_noop("News of what you follow"),
    "rebuy": gettext_noop("You have had these"),
    "discover": gettext_noop("You may like"),
    "alongside": gettext_noop("Goes well with it"),
    "popular": gettext_noop("Many buy this"),
}
_ICONS = {
    "followed": "heart",
    "rebuy": "rotate-ccw",
    "discover": "sparkles",
    "alongside": "package-plus",
    "popular": "flame",
}
_SAYS, _TO_PAGE, _TO_SHEET = "\ue000", "\ue001", "\ue002"  # letters that nobody types
_SALT = "storefront.showing"
_SIGNATURE_LETTERS = 12
_EPOCH = dt.date(2026, 1, 1)

_popular: Kept[list[Suggested]] = Kept(60)
_drawn: Kept[str] = Kept(60, most=4096)
_alongside: Kept[list[Suggested]] = Kept(60, most=1024)


@dataclass(frozen=True)
class Reasoned:
    """A product in a list with the words under it."""

    product_id: int
    item: Item
    reason: str
    says: str


@dataclass(frozen=True)
class Strip:
    """A list on a page; `mark` goes into its links, "" when nobody counts."""

    slot: str
    reasoned: tuple[Reasoned, ...]
    mark: str = ""

    @property
    def title(self) -> str:
        return gettext(_TITLES[self.slot])

    @property
    def icon(self) -> str:
        return _ICONS[self.slot]

    @property
    def goods(self) -> Iterator[SafeString]:
        """Each product as the page shows it."""
        for each in self.reasoned:
            yield _html(each, self.mark)


def forget() -> None:
    """Look again at once."""
    _drawn.clear()
    _popular.clear()
    _alongside.clear()


def on_home(
    request: ShopRequest, scene: str, pays_percent: int, *, without: str = ""
) -> tuple[Strip, ...]:
    """The lists of the member's first page. `without` is a product, by reference, that stands there already."""
    assert request.member is not None
    own = lists.own_lists(request.member.pk, clock.today())
    many = _popular.get(scene, lambda: lists.popular(scene))
    wanted = [each.product_id for each in (*own.suggested, *many)]
    there = shelf.there_now(wanted, pays_percent)
    taken = {product for product, item in there.items() if item.reference == without}
    strips = [_strip(slot, own.of(slot), there, taken, scene) for slot in ("followed", "rebuy")]
    fresh = _strip("discover", own.of("discover"), there, taken, scene)
    strips.append(fresh if fresh.reasoned else _strip("popular", many, there, taken, scene))
    return _counted(request, own, [strip for strip in strips if strip.reasoned])


def beside_order(
    request: ShopRequest, product_ids: Sequence[int], pays_percent: int
) -> tuple[Strip, ...]:
    """What goes with an order; for who is held out, or wants nothing chosen, what many buy."""
    own = lists.own_lists(request.member.pk, clock.today()) if request.member else None
    is_plain = own is not None and (own.is_refused or own.is_held_out)
    key = tuple(sorted(set(product_ids)))
    found = [] if is_plain else _alongside.get(key, lambda: lists.alongside(key))
    slot, many = ("alongside", found) if found else ("popular", _popular.get("", lists.popular))
    there = shelf.there_now([each.product_id for each in many], pays_percent)
    strip = _strip(slot, many, there, set(product_ids), "")
    strips = [strip] if strip.reasoned else []
    return _counted(request, own, strips) if own is not None else tuple(strips)


def note_click(request: ShopRequest, product: Product) -> None:
    """Count that a member came to a product from a list of theirs; every other mark counts nothing."""
    text = request.GET.get(MARK, "")
    if not text or request.member is None or _is_only_looked_up(request):
        return
    found = _read(text, request.member.pk)
    if found is not None:
        slot, on = found
        note_clicked(person_id=request.member.pk, on=on, slot=slot, product_id=product.pk)


def _strip(
    slot: str, found: Sequence[Suggested], there: dict[int, Item], taken: set[int], scene: str
) -> Strip:
    """The first of a list that are there and stand nowhere above; they are taken then."""
    chosen: list[Reasoned] = []
    for each in found:
        item = there.get(each.product_id)
        if item is None or each.product_id in taken or len(chosen) == MOST[slot]:
            continue
        reason = each.reason
        if slot == "followed":
            reason = is_followed_news(reason, item.price_fen, each.was_fen)
        if reason:
            says = words.shown_says(reason, each, item, _scene_name(scene))
            chosen.append(Reasoned(each.product_id, item, reason, says))
            taken.add(each.product_id)
    return Strip(slot, tuple(chosen))


def _html(each: Reasoned, mark: str) -> SafeString:
    """What of a product is the same for everybody is drawn once; then come the reason and the mark."""
    drawn = _drawn.get((each.item, get_language()), lambda: _draw(each.item))
    own = {
        _SAYS: escape(each.says),
        _TO_PAGE: f"?{MARK}={mark}" if mark else "",
        _TO_SHEET: f"&amp;{MARK}={mark}" if mark else "",
    }
    for place, text in own.items():
        drawn = drawn.replace(place, text)
    return mark_safe(drawn)


def _draw(item: Item) -> str:
    places = {"says": _SAYS, "page_mark": _TO_PAGE, "sheet_mark": _TO_SHEET}
    return render_to_string("store/strip_item.html", {"i": item, **places}).strip()


def _scene_name(key: str) -> str:
    return next((words.scene_name(scene) for scene in shelf.scenes() if scene.key == key), "")


def _counted(request: ShopRequest, own: OwnLists, strips: Sequence[Strip]) -> tuple[Strip, ...]:
    """The same with marks, noted as shown where that is new today; nothing of it for who wants no notes."""
    assert request.member is not None
    if own.is_refused or wants_no_notes(request.headers):
        return tuple(strips)
    on, person_id = clock.today(), request.member.pk
    fresh = dict(_fresh(own, strips))
    if fresh and not _is_only_looked_up(request):
        note_shown(person_id=person_id, on=on, shown=fresh)
    return tuple(
        Strip(strip.slot, strip.reasoned, _mark(strip.slot, on, person_id)) for strip in strips
    )


def _fresh(own: OwnLists, strips: Sequence[Strip]) -> Iterator[tuple[str, dict[int, str]]]:
    for strip in strips:
        noted = own.noted.get(strip.slot, frozenset())
        new = {each.product_id: each.reason for each in strip.reasoned}
        if not noted.issuperset(new):
            yield strip.slot, {product: new[product] for product in new if product not in noted}


def _is_only_looked_up(request: HttpRequest) -> bool:
    """Whether a browser asks ahead of its reader."""
    purpose = request.headers.get("Sec-Purpose", "") or request.headers.get("Purpose", "")
    return request.method != "GET" or "prefetch" in purpose


def _mark(slot: str, on: dt.date, person_id: int) -> str:
    told = f"{slot[0]}{(on - _EPOCH).days}"
    return f"{told}-{_signature(told, person_id)}"


def _read(mark: str, person_id: int) -> tuple[str, dt.date] | None:
    """Slot and day of a mark of this member's that is not older than what a purchase is attributed over."""
    told, _, signature = mark.partition("-")
    slot = next((slot for slot in SLOTS if told[:1] == slot[0]), "")
    days = told[1:]
    if not slot or not days.isascii() or not days.isdecimal() or len(days) > 5:
        return None
    if not constant_time_compare(signature, _signature(told, person_id)):
        return None
    on = _EPOCH + dt.timedelta(days=int(days))
    return (slot, on) if 0 <= (clock.today() - on).days <= ATTRIBUTED_DAYS else None


def _signature(told: str, person_id: int) -> str:
    made = salted_hmac(_SALT, f"{told}:{person_id}", algorithm="sha256")
    return made.hexdigest()[:_SIGNATURE_LETTERS]
