"""The script that notes visits, in a real browser: it tells of what is looked at, and nothing where nobody wants it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import clear_url_caches, path
from django.views.decorators.csrf import csrf_exempt
from playwright.sync_api import Page

from liuke.analytics.models import Behaviour
from liuke.interfaces.storefront.shop import home
from liuke.project import beacons as module
from liuke.project import urls
from liuke.project.beacons import Beacons
from tests.browser.conftest import PHONE, Visitor
from tests.orders import make
from tests.project.test_beacons import PHONE as AGENT
from tests.project.test_beacons import post

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


BODIES: list[dict[str, Any]] = []


@csrf_exempt
def take(request: HttpRequest) -> HttpResponse:
    """Stands in for the web process, which answers this address before Django does: the same collector takes it."""
    BODIES.append(json.loads(request.body))

    async def keep() -> int:
        beacons = Beacons()
        names = {"host": "Host", "origin": "Origin", "dnt": "DNT"}
        headers = {name: request.headers.get(told, "") for name, told in names.items()}
        status = await post(beacons, request.body, user_agent=AGENT, **headers)
        if beacons._writer is not None:
            await beacons._writer
        beacons._thread.shutdown()
        return status

    return HttpResponse(status=asyncio.run(keep()))


urlpatterns = [path("behaviour/", take), *urls.urlpatterns]


@pytest.fixture(autouse=True)
def shop(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.05)
    settings.ROOT_URLCONF = __name__
    clear_url_caches()
    BODIES.clear()
    home.forget()
    yield make.shop()
    home.forget()


def until(page: Page, count: int) -> list[tuple[str, str, str]]:
    """(kind, product, text) of what is kept, once it is so much."""
    ends = time.monotonic() + 20
    while Behaviour.objects.count() < count and time.monotonic() < ends:
        page.wait_for_timeout(100)
    return list(Behaviour.objects.order_by("at", "position").values_list("kind", "product", "text"))


def open_page(visitor: Visitor, path: str, **cookies: str) -> Page:
    return visitor.open(path, size=PHONE, is_signed_in=False, **cookies).page


def test_a_search_a_look_and_a_beginning_are_told_once_each_by_a_name_that_ends_with_the_tab(
    visitor: Visitor, shop: Any
) -> None:
    product = shop.coins.product
    page = open_page(visitor, f"/shop/?q={product.title[:2]}&utm_source=weixin")
    page.locator("a.good-hit").first.click()
    page.wait_for_url(f"**/shop/p/{product.reference}/")
    page.locator("a[data-sheet]").first.click()
    page.locator("dialog .sheet-body").wait_for()
    page.goto(visitor.base + "/me/gone/")
    assert until(page, 4) == [
        ("view", "", ""),
        ("search", "", product.title[:2]),
        ("view", product.reference, ""),
        ("add", product.reference, ""),
    ]
    names = {body["v"] for body in BODIES}
    assert (len(names), {body["s"] for body in BODIES}) == (1, {"weixin"})
    assert [cookie["name"] for cookie in page.context.cookies() if cookie["value"] in names] == []
    other = open_page(visitor, "/shop/")
    other.goto(visitor.base + "/me/gone/")
    until(other, 5)
    assert len({body["v"] for body in BODIES}) == 2, "another tab is somebody else"
    assert BODIES[-1]["s"] == "direct"


def test_who_wants_no_notes_is_given_no_name_and_buys_as_before(
    visitor: Visitor, shop: Any
) -> None:
    page = open_page(visitor, "/me/privacy/", lang="en")
    switch = page.get_by_role("switch")
    assert switch.get_attribute("aria-checked") == "true"
    switch.click()
    page.wait_for_load_state()
    assert page.get_by_role("switch").get_attribute("aria-checked") == "false"
    page.goto(f"{visitor.base}/shop/p/{shop.coins.product.reference}/")
    page.locator("a[data-sheet]").first.click()
    page.locator("dialog .sheet-body").wait_for()
    assert page.evaluate("sessionStorage.length") == 0
    page.goto(visitor.base + "/me/gone/")
    assert (BODIES, Behaviour.objects.count()) == ([], 0)
