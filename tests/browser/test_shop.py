"""The shop in a member's hand: bought in three taps, moved by itself, given back, and never charged twice."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, Route, expect

from liuke.base import sms
from liuke.catalog.actions import edit_variant
from liuke.catalog.models import BackWish, Follow, KeyAccess
from liuke.delivery.actions import deliver_by_hand, deliver_order
from liuke.interfaces.storefront.shop import home
from liuke.orders.models import Order
from liuke.payments import gateways
from liuke.payments.gateways import outbound
from liuke.payments.models import Payment
from liuke.people.models import Member
from tests.browser.conftest import PHONE, Visit, Visitor
from tests.browser.shopping import Hand, Site, pay_desk, served, stock_up
from tests.browser.test_pages import APART, look_over
from tests.browser.test_storefront import WEIGHT, small
from tests.delivery.make import delivered, fill_wallet, line_id, paid, wallet
from tests.interfaces.storefront.make import LI, WANG, code_of, member, sign_in
from tests.membership import make as membership
from tests.orders import make as orders
from tests.payments import make as payments
from tests.payments.make import Play
from tests.people.make import Phone

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
PLAIN = re.compile(r"^KEY\d{4}-ABCD-\d{8}$")
NEVER_MOVES = "document.querySelector('[data-live]') && delete document.querySelector('[data-live]').dataset.live"


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    """Every text message ends here."""
    phone = Phone()
    monkeypatch.setattr(sms, "gateway", lambda: phone)
    return phone


@pytest.fixture(scope="module")
def gateway_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return payments.make_keys(tmp_path_factory.mktemp("sandbox-keys"))


@pytest.fixture
def gate(
    tmp_path: Path, gateway_keys: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Play:
    """Wallet and sandbox are offered; the sandbox is in this process."""
    settings.LIUKE_GATEWAYS = ("wallet", "sandbox")
    play = payments.play(tmp_path / "sandbox", gateway_keys)
    monkeypatch.setitem(gateways._KNOWN, "sandbox", lambda: play.adapter)
    monkeypatch.setattr(outbound, "call", play.call)
    return play


@pytest.fixture
def site(db: None, gate: Play, phone: Phone) -> Iterator[Site]:
    home.forget()
    yield stock_up()
    home.forget()


@pytest.fixture
def li(site: Site, phone: Phone) -> Member:
    """LI, signed in, with 200 yuan in the wallet."""
    client = sign_in(phone, LI)
    li = member(LI)
    li.session = client.cookies["member"].value  # type: ignore[attr-defined]
    fill_wallet(li, 20_000)
    return li


class Shop:
    """Opens pages of the shop for a member or for nobody."""

    def __init__(self, visitor: Visitor, gate: Play) -> None:
        self.visitor, self.base = visitor, visitor.base
        self._desk = pay_desk(gate, visitor.base)

    def open(self, path: str, by: Member | None = None, **look: Any) -> Visit:
        cookies = {"member": by.session} if by else {}  # type: ignore[attr-defined]
        told = {"size": PHONE, "lang": "en", **look}
        visit = self.visitor.open("/me/gone/", is_signed_in=False, **told, **cookies)
        visit.page.context.route("**/live/**", lambda route: route.fulfill(status=204))
        self._desk(visit.page)
        self.go(visit, path)
        return visit

    def go(self, visit: Visit, path: str) -> Page:
        visit.page.goto(self.base + path)
        return visit.page

    def hand(self, path: str, by: Member | None = None, **look: Any) -> Hand:
        return Hand(self.open(path, by, **look).page)


@pytest.fixture
def shop(visitor: Visitor, site: Site, gate: Play) -> Shop:
    return Shop(visitor, gate)


def pay_button(page: Page) -> Any:
    return page.locator("[name=do][value=pay]")


def page_of(order: Order) -> str:
    return f"/shop/orders/{order.reference}/"


# Taps --------------------------------------------------------------------------------------------


def test_a_new_phone_has_its_key_three_taps_after_the_code_and_the_next_time_after_two(
    shop: Shop, site: Site, phone: Phone
) -> None:
    hand = shop.hand("/me/login/?next=/shop/%3Fscene%3Dgames")
    hand.page.get_by_label("Phone number").fill(LI)
    hand.page.get_by_label("Phone number").press("Enter")
    hand.page.get_by_label("The code").fill(code_of(phone))
    hand.page.wait_for_url("**/shop/?scene=games")
    hand.tap(hand.page.get_by_role("link", name="Buy 原神 创世结晶"))
    hand.tap(pay_button(hand.page))
    hand.tap(hand.page.get_by_role("link", name="付款"))
    expect(hand.page.locator("#now h2")).to_have_text("It is here: please try it")
    assert hand.taps == 3
    assert Order.objects.get().state == "delivered"

    fill_wallet(member(LI), 10_000)
    shop.go(Visit(hand.page), "/shop/")
    hand.taps = 0
    hand.tap(hand.page.get_by_role("link", name="Buy again"))
    expect(hand.page.get_by_label("Sandbox")).to_be_checked()
    expect(hand.page.get_by_text("last time")).to_be_visible()
    hand.page.get_by_label("Balance").check()  # from now on this is how LI pays
    pay_button(hand.page).click()
    expect(hand.page.locator("#now h2")).to_have_text("It is here: please try it")

    shop.go(Visit(hand.page), "/shop/")
    hand.taps = 0
    hand.tap(hand.page.get_by_role("link", name="Buy again"))
    expect(hand.page.get_by_label("Balance")).to_be_checked()
    hand.tap(pay_button(hand.page))
    expect(hand.page.locator("#now h2")).to_have_text("It is here: please try it")
    assert hand.taps == 2
    assert Order.objects.filter(state="delivered").count() == 3


def test_a_key_is_shown_copied_found_bad_and_its_money_is_in_the_wallet(
    shop: Shop, site: Site, li: Member
) -> None:
    order = delivered(orders.order(site.coins, of=li))
    page = shop.open(page_of(order), li).page
    code = page.locator(".key code")
    expect(code).to_have_text(re.compile("^•••• •••• .{4}$"))
    top = code.bounding_box()
    assert top is not None
    assert top["y"] + top["height"] < PHONE[1] - 60, "on the first screen, above the tabs"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Show").click()
    expect(code).to_have_text(PLAIN)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code.text_content()
    assert KeyAccess.objects.filter(role="buyer").count() == 1
    page.get_by_role("link", name="It does not").click()
    page.get_by_text("It does not work").click()
    page.get_by_role("button", name="Give it back").click()
    expect(page.locator("#now h2")).to_have_text("Your money is back")
    expect(code).to_have_text(re.compile("^••••"))
    assert wallet(li) == 20_000
    page.get_by_role("link", name="to your balance").click()
    expect(page.locator(".balance")).to_have_text("¥200")
    expect(page.get_by_text("+¥6.00")).to_be_visible()


def test_it_works_is_one_tap(shop: Shop, site: Site, li: Member) -> None:
    order = delivered(orders.order(site.coins, of=li))
    page = shop.open(page_of(order), li).page
    page.get_by_role("button", name="It works").click()
    expect(page.locator("#now h2")).to_have_text("Completed")
    order.refresh_from_db()
    assert order.state == "completed"


def test_what_is_sold_out_is_waited_for_and_followed(shop: Shop, site: Site, li: Member) -> None:
    page = shop.open(site.page(site.gone), li).page
    page.get_by_role("button", name="Tell me when it is back").click()
    expect(page.locator(".buybar")).to_contain_text("We will tell you once")
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_role("button", name="Following")).to_be_visible()
    assert BackWish.objects.get().person_id == Follow.objects.get().person_id == li.pk
    shop.go(Visit(page), "/shop/followed/")
    expect(page.get_by_role("link", name="腾讯视频 VIP")).to_have_count(2)


def test_the_page_of_an_order_moves_by_itself(visitor: Visitor, site: Site, li: Member) -> None:
    order = paid(orders.order(site.credit, of=li, form={"phone": LI}))
    deliver_order(order_id=order.pk)
    with served() as base:
        visitor.base = base
        page = visitor.open(
            page_of(order),
            is_signed_in=False,
            size=PHONE,
            lang="en",
            member=li.session,  # type: ignore[attr-defined]
        ).page
        expect(page.locator("#now h2")).to_have_text("Paid, and being worked on")
        page.evaluate("window.isSame = true")
        page.wait_for_timeout(1500)  # the stream is open, and the first mark has come
        begun = time.monotonic()
        deliver_by_hand(line_id=line_id(order), note="Topped up", by=None)
        expect(page.locator("#now h2")).to_have_text("It is here: please try it")
        took = time.monotonic() - begun
        expect(page.locator("#goods")).to_contain_text("Topped up")
        assert page.evaluate("window.isSame"), "without loading it anew"
        assert took < 2.9, "told by the stream, not by asking every three seconds"
        page.context.close()


# Guests, and no script ----------------------------------------------------------------------------


def test_a_guest_buys_keeps_the_link_and_claims_by_phone(
    shop: Shop, site: Site, phone: Phone
) -> None:
    hand = shop.hand(site.page(site.coins))
    hand.tap(hand.page.locator(".buybar a"))
    hand.tap(pay_button(hand.page))
    hand.tap(hand.page.get_by_role("link", name="付款"))
    page = hand.page
    expect(page.locator("#now h2")).to_have_text("It is here: please try it")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#goods code")).to_have_text(PLAIN)
    page.get_by_text("Or keep the link of this order").click()
    link = page.locator(".claim code").text_content()
    assert link is not None
    elsewhere = shop.open(link.removeprefix(shop.base)).page
    expect(elsewhere.locator("#now h2")).to_have_text("It is here: please try it")
    elsewhere.get_by_role("button", name="Show").click()
    expect(elsewhere.locator("#goods code")).to_have_text(PLAIN)

    page.get_by_role("link", name="Sign in by phone").click()
    page.get_by_label("Phone number").fill(WANG)
    page.get_by_label("Phone number").press("Enter")
    page.get_by_label("The code").fill(code_of(phone))
    page.wait_for_url("**/shop/orders/**")
    expect(page.get_by_text("Only this device")).to_have_count(0)
    assert Order.objects.get().person_id == member(WANG).pk
    answer = elsewhere.goto(link)
    assert answer is not None
    assert answer.status == 404


def test_a_code_that_was_there_before_the_script_is_sent_when_it_comes(
    shop: Shop, site: Site, phone: Phone
) -> None:
    """Phones fill a code in from the message at once, and scripts may take seconds."""
    # A page of its own: `shop.open` keeps every answer, and the last file of a page that is left has none to keep.
    page = shop.open("/me/login/").page.context.new_page()
    page.goto(f"{shop.base}/me/login/")
    held: list[Route] = []
    page.route("**/shop.js*", lambda route: held.append(route), times=1)
    page.get_by_label("Phone number").fill(WANG)
    page.get_by_label("Phone number").press("Enter")
    page.get_by_label("The code").fill(code_of(phone))
    held[-1].continue_()
    page.wait_for_url("**/me/")
    assert page.get_by_label("The code").count() == 0


def test_everything_works_without_a_script(shop: Shop, site: Site, li: Member) -> None:
    page = shop.open("/shop/?scene=games", li, has_script=False).page
    page.get_by_role("link", name="Buy 原神 创世结晶").click()
    page.get_by_role("button", name="One more").click()
    expect(pay_button(page)).to_have_text("Pay ¥12.00")
    page.get_by_label("Balance").check()
    pay_button(page).click()
    page.get_by_role("button", name="Show key 2").click()
    expect(page.locator(".key code").nth(1)).to_have_text(PLAIN)
    page.get_by_role("link", name="This one is bad").nth(1).click()
    page.get_by_text("It was used already").click()
    page.get_by_role("button", name="Give it back").click()
    expect(page.get_by_role("status")).to_contain_text("It is taken back")
    assert wallet(li) == 20_000 - 600
    page.get_by_role("button", name="It works").click()
    expect(page.locator("#now h2")).to_have_text("Completed")


# Never twice, never by surprise --------------------------------------------------------------------


def test_two_fast_taps_on_pay_and_the_back_button_make_one_order(
    shop: Shop, site: Site, li: Member
) -> None:
    page = shop.open(site.sheet(site.coins), li).page
    page.get_by_label("Balance").check()
    pay_button(page).dblclick()
    expect(page.locator("#now h2")).to_have_text("It is here: please try it")
    page.go_back()
    expect(page.locator(".says")).to_contain_text("You have just ordered this.")
    expect(pay_button(page)).to_have_text("Pay once more ¥6.00")
    page.get_by_role("link", name="To the order").click()
    expect(page.locator("#now h2")).to_have_text("It is here: please try it")
    assert (Order.objects.count(), Payment.objects.count(), wallet(li)) == (1, 1, 19_400)


def test_two_tabs_use_a_coupon_once(shop: Shop, site: Site, li: Member) -> None:
    membership.coupon(li, min_spend_fen=0)
    tabs = [shop.open(site.sheet(site.coins), li).page for _ in range(2)]
    for page in tabs:
        expect(pay_button(page)).to_have_text("Pay ¥1.00")
        page.get_by_label("Balance").check()
    pay_button(tabs[0]).click()
    expect(tabs[0].locator("#now h2")).to_have_text("It is here: please try it")
    pay_button(tabs[1]).click()
    expect(tabs[1].get_by_role("alert")).to_be_visible()
    expect(pay_button(tabs[1])).to_contain_text("¥6.00")
    assert (Order.objects.count(), wallet(li)) == (1, 19_900)


def test_a_price_that_changed_is_told_and_nothing_is_charged(
    shop: Shop, site: Site, li: Member
) -> None:
    page = shop.open(site.sheet(site.coins), li).page
    page.get_by_label("Balance").check()
    edit_variant(variant=site.coins, name="60 结晶", price_fen=660, by=None)
    pay_button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("Before: ¥6.00. Now: ¥6.60.")
    expect(pay_button(page)).to_have_text("Pay the new price ¥6.60")
    assert (Order.objects.count(), wallet(li)) == (0, 20_000)


def test_a_foreign_order_is_answered_as_an_unknown_one(shop: Shop, site: Site, li: Member) -> None:
    foreign = delivered(orders.order(site.coins))
    said = set()
    for path in (page_of(foreign), page_of(foreign)[:-3] + "22/"):
        visit = shop.open(path, li)
        assert any(complaint.startswith("404 ") for complaint in visit.complaints)
        said.add(visit.page.locator("main").inner_text())
    assert len(said) == 1


# Looks -------------------------------------------------------------------------------------------


def rejected(site: Site, li: Member, client: Client) -> Order:
    order = delivered(orders.order(site.coins, of=li))
    client.cookies["member"] = li.session  # type: ignore[attr-defined]
    client.post(f"{page_of(order)}lines/1/reject/", {"reason": "does_not_work"})
    return order


@pytest.mark.parametrize(("size", "theme", "lang"), APART)
def test_every_page_of_the_shop_in_every_look(
    shop: Shop, site: Site, li: Member, size: tuple[int, int], theme: str, lang: str
) -> None:
    back = rejected(site, li, Client())
    order = delivered(orders.order(site.coins, of=li))
    visit = shop.open("/shop/?scene=all", li, size=size, theme=theme, lang=lang)
    page, static = visit.page, {}
    for path in [
        "/shop/?scene=all", site.page(site.coins), site.page(site.gone), site.sheet(site.credit), page_of(order),
        page_of(back), "/shop/keys/", "/shop/orders/", "/shop/wallet/", "/me/inbox/", "/me/",
    ]:  # fmt: skip
        shop.go(visit, path)
        look_over(visit, path)
        loaded = visit.bodies()
        static |= {name: body for name, body in loaded.items() if "/static/" in name}
        own = [loaded[shop.base + path], *static.values()]
        assert len(own) in (3, 4), sorted(static)
        assert sum(len(gzip.compress(body, 9)) for body in own) <= WEIGHT, path
        if size == PHONE:
            assert small(page) == [], path
    shop.go(visit, page_of(order))
    page.locator(".key form button").click()
    expect(page.locator(".key code")).to_have_text(PLAIN)
    look_over(visit, "revealed")
    shop.go(visit, site.page(site.coins))
    page.locator(".buybar a").click()
    expect(page.locator("dialog .btn-cin")).to_be_visible()
    page.wait_for_timeout(250)  # it has come up
    look_over(visit, "sheet over the page")
