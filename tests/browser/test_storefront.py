"""Members' pages on a phone and on a desk, in light and dark, Chinese and English, with and without a script."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from liuke.analytics.models import Source
from liuke.base import sms
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.models import Message
from liuke.engagement.queries import unsubscribe_token
from liuke.people.actions import set_time_zone
from liuke.people.models import Consent
from tests.browser.conftest import PHONE, Visit, Visitor
from tests.browser.test_pages import APART
from tests.engagement import make as engagement
from tests.interfaces.storefront.make import LI, code_of, member, send, sign_in
from tests.people.make import Phone

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

NARROW: ViewportSize = {"width": 320, "height": 568}
WEIGHT = 45 * 1024
OWN = [
    "/me/", "/me/inbox/", "/me/inbox/{inbox}/", "/me/why/{inbox}/", "/me/contacts/", "/me/preferences/",
    "/me/preferences/quiet/", "/me/preferences/zone/", "/me/preferences/email/", "/me/preferences/birthday/",
    "/me/preferences/consents/", "/me/preferences/erase/",
]  # fmt: skip
OPEN = ["/me/login/", "/me/gone/", "/u/{token}"]
Open = Callable[..., Visit]


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    """Every text message ends here."""
    phone = Phone()
    monkeypatch.setattr(sms, "gateway", lambda: phone)
    return phone


@pytest.fixture
def shop(db: None, noon: Any, tmp_path: Path) -> Source:
    set_outreach_policy(by=None, holdout_permyriad=0)
    return engagement.shop(tmp_path, [LI])


@pytest.fixture
def sent(shop: Source, phone: Phone) -> Message:
    """A message in LI's inbox."""
    return send(shop, LI)


@pytest.fixture
def open_page(visitor: Visitor, sent: Message, phone: Phone) -> Open:
    """Open a page as LI, or as a stranger."""
    session = sign_in(phone, LI).cookies["member"].value
    words = {"inbox": sent.reference, "token": unsubscribe_token(sent)}

    def open_page(path: str, *, is_member: bool = True, **look: Any) -> Visit:
        cookies = {"member": session} if is_member else {}
        return visitor.open(path.format(**words), is_signed_in=False, **look, **cookies)

    return open_page


def look_over(visit: Visit, what: str) -> None:
    assert visit.complaints == [], what
    assert visit.sideways() == 0, what
    assert visit.axe() == [], what


def small(page: Page) -> list[Any]:
    """What one taps that is less than 44 pixels high or wide."""
    found: list[Any] = page.evaluate(
        """() => [...document.querySelectorAll('a,button,input,summary,select,.pick label')]
        .filter(e => e.offsetWidth && !e.matches('.skip,[type=hidden],[type=radio]') && !e.closest('.text'))
        .map(e => { const r = e.getBoundingClientRect(); return [e.outerHTML.slice(0, 80), r.width, r.height]; })
        .filter(([, w, h]) => h < 44 || w < 44)"""
    )
    return found


@pytest.mark.parametrize(("size", "theme", "lang"), APART)
def test_every_page_in_every_look(
    open_page: Open, size: tuple[int, int], theme: str, lang: str
) -> None:
    for path in [*OWN, *OPEN]:
        visit = open_page(path, is_member=path in OWN, size=size, theme=theme, lang=lang)
        look_over(visit, path)
        if size == PHONE:
            assert small(visit.page) == [], path
            visit.page.set_viewport_size(NARROW)
            assert visit.sideways() == 0, path
        visit.page.context.close()


def test_a_page_weighs_at_most_45_kb(open_page: Open) -> None:
    for path in ("/me/", "/me/preferences/", "/me/preferences/zone/", "/me/why/{inbox}/"):
        bodies = open_page(path).bodies()
        # The page, its style and its script; the icon, unless the browser has kept it.
        assert 3 <= len(bodies) <= 4, sorted(bodies)
        assert sum(len(gzip.compress(body, 9)) for body in bodies.values()) <= WEIGHT, path


def test_six_digits_are_enough_where_there_is_a_script(
    visitor: Visitor, phone: Phone, sent: Message
) -> None:
    page = visitor.open("/me/login/", size=PHONE, is_signed_in=False, lang="en").page
    page.get_by_label("Phone number").fill("138 0013 8000")
    page.get_by_label("Phone number").press("Enter")
    field = page.get_by_label("The code")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("autocomplete", "one-time-code")
    field.fill(f" {code_of(phone)[:3]} {code_of(phone)[3:]}")
    page.wait_for_url("**/me/")
    expect(page.locator("h1")).to_have_text("Hello")


def test_without_a_script_one_signs_in_reads_and_switches(
    visitor: Visitor, phone: Phone, sent: Message
) -> None:
    page = visitor.open(
        "/me/login/", size=PHONE, is_signed_in=False, has_script=False, lang="en"
    ).page
    page.get_by_label("Phone number").fill(LI)
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("The code").fill(code_of(phone))
    page.get_by_role("button", name="Go in").click()
    page.get_by_role("link", name="Come back").click()
    page.get_by_role("link", name="Why did I get this?").click()
    page.get_by_role("button", name="No more offers among my messages").click()
    expect(page.get_by_role("status")).to_have_text("Done. No more of these.")
    page.get_by_role("link", name="Me", exact=True).click()
    page.get_by_role("link", name="Settings", exact=True).click()
    switch = page.get_by_role("switch", name="Messages here · Offers for you")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    page.locator("[data-theme-form] button").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name=re.compile("^Language")).click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.get_by_role("button", name="退出登录").click()
    expect(page.locator("h1")).to_have_text("欢迎回来")


def test_switches_answer_to_keys(open_page: Open) -> None:
    page = open_page("/me/preferences/", lang="en").page
    switch = page.get_by_role("switch", name="Text message · Offers for you")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    assert page.url.endswith("#sms")


def test_a_stranger_stops_a_message_by_one_button(open_page: Open) -> None:
    page = open_page("/u/{token}", is_member=False, size=PHONE, lang="en").page
    page.get_by_role("button", name="Yes, stop it").click()
    expect(page.locator("h1")).to_have_text("Done: that was the last one")
    given = Consent.objects.filter(person=member(LI), purpose="marketing", is_given=True)
    assert sorted(given.values_list("channel", flat=True)) == ["email", "list", "sms"]


def test_the_devices_zone_is_offered_where_it_is_another(open_page: Open) -> None:
    set_time_zone(member=member(LI), zone="Pacific/Auckland", origin="source")
    page = open_page("/me/preferences/zone/", lang="en").page
    there = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    expect(page.locator("[data-zone-name]")).to_have_text(there)
    page.get_by_role("button", name="Use my device's zone").click()
    page.wait_for_url("**/me/preferences/")
    assert (member(LI).time_zone, member(LI).time_zone_from) == (there, "device")
    page.goto(page.url + "zone/")
    expect(page.locator("[data-zone-offer]")).to_be_hidden()
