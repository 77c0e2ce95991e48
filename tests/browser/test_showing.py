"""Lists of one's own in the hand of a member, and their figures in front of an operator: in every look, by one tap."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import expect

from liuke.analytics.models import Showing, Suggestion
from liuke.base import sms
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.renew_lists import renew_lists
from liuke.interfaces.storefront.shop import home
from liuke.people.models import Member
from tests.analytics.showing import bought
from tests.browser.conftest import PHONE, Visitor
from tests.browser.shopping import Site, stock_up
from tests.browser.test_pages import APART, look_over
from tests.browser.test_storefront import WEIGHT, small
from tests.interfaces.storefront.make import LI, member, sign_in
from tests.orders import make as orders
from tests.people.make import Phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def li(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Member]:
    """LI, signed in, who bought coins; others bought coins and credit. A night has passed."""
    phone = Phone()
    monkeypatch.setattr(sms, "gateway", lambda: phone)
    home.forget()
    site: Site = stock_up()
    client: Client = sign_in(phone, LI)
    li = member(LI)
    li.session = client.cookies["member"].value  # type: ignore[attr-defined]
    set_outreach_policy(by=None, holdout_permyriad=0)
    bought(li, site.coins, site.coins)
    steam = site.merchant.products.get(title="Steam 充值卡").variants.get()
    for _ in range(4):
        other = orders.member()
        bought(other, site.coins)
        bought(other, steam)
    renew_lists()
    yield li
    home.forget()


@pytest.mark.parametrize(("size", "theme", "lang"), APART)
def test_the_lists_in_every_look_and_the_figures_beside(
    visitor: Visitor, li: Member, size: tuple[int, int], theme: str, lang: str
) -> None:
    path = "/shop/?scene=all"
    look = {"size": size, "theme": theme, "lang": lang}
    visit = visitor.open(path, is_signed_in=False, member=str(li.session), **look)  # type: ignore[attr-defined]
    look_over(visit, path)
    loaded = visit.bodies()
    own = [body for name, body in loaded.items() if name.endswith(path) or "/static/" in name]
    assert sum(len(gzip.compress(body, 9)) for body in own) <= WEIGHT
    if size == PHONE:
        assert small(visit.page) == []
    expect(visit.page.locator("[data-from=discover] .good-w")).to_have_count(1)
    visit.page.locator("[data-from=discover] .good-hit").click()
    expect(visit.page.locator("h1")).to_have_text("Steam 充值卡")
    steam = Suggestion.objects.get(person=li, slot="discover").product_id
    assert Showing.objects.get(person=li, slot="discover").clicks == [steam]
    renew_lists()
    for page in ("/shown/", "/claims/"):
        look_over(visitor.open(page, **look), page)
