"""Products, card keys and merchants in a real browser: in every look, by hand, and without a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from liuke.catalog import actions, queries
from liuke.catalog.models import CardKey, KeyAccess, Product, Variant
from liuke.people.models import Login
from tests.browser.conftest import PHONE, Visit, Visitor
from tests.browser.test_pages import APART, look_over
from tests.catalog import make
from tests.merchants import make as merchants

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
CANARY = "CANARY-7F3K-29QX-88WV"
FORM = [
    {"key": "uid", "label": "游戏 UID", "kind": "text", "pattern": "[0-9]{9}", "help": "9 位数字"},
    {"key": "server", "label": "区服", "kind": "choice", "choices": ["天空岛", "世界树"]},
]


@pytest.fixture
def shelf(visitor: Visitor) -> Variant:
    """A product with everything a page can show: variants of each kind, keys in each state, low stock."""
    product = make.product(
        is_listed=True, subject="原神", order_form=FORM, body="兑换后立即到账。\n不支持退换。",
        source_kind="official", source_text="直接向发行商采购，每张可查序列号", coverage_text="无效包换，先行赔付",
        per_order_max=5,
    )  # fmt: skip
    variant = make.variant(
        product, "648 创世结晶", keys=60, low_stock_at=80, quantity_prices=[[5, 64_000]]
    )
    make.hold("o1", (variant, 3))
    for key in actions.take_stock(token="o1")[:1]:
        actions.mark_bad(key_id=key.key_id, why="兑换失败")
    make.hold("o2", (variant, 1))
    make.variant(product, "新人套餐", price=60_000, stock_kind="bundle", parts=[(variant, 2)])
    make.variant(make.product(product.merchant, kind="top_up", title="话费 100 元"), stock_count=3)
    return variant


@pytest.fixture
def counter(shelf: Variant) -> Login:
    """Somebody who works for the merchant."""
    return merchants.staff(shelf.product.merchant)


def sign_in(visitor: Visitor, login: Login, path: str, **look: object) -> Visit:
    """A page of the merchant, after the door."""
    visit = visitor.open(path, is_signed_in=False, **look)  # type: ignore[arg-type]
    visit.page.fill("#id_username", login.name)
    visit.page.fill("#id_password", merchants.PASSWORD)
    visit.page.locator(".btn-big").click()
    visit.page.wait_for_url(f"**{path}")
    visit.page.wait_for_load_state("networkidle")
    return visit


@pytest.mark.parametrize(("size", "theme", "lang"), APART)
def test_every_page_of_the_goods_in_every_look(
    visitor: Visitor, shelf: Variant, size: tuple[int, int], theme: str, lang: str
) -> None:
    product = shelf.product
    for path in (
        "/products/",
        "/products/?search=nothing",
        "/products/new/",
        f"/products/{product.reference}/",
        f"/products/{product.reference}/edit/",
        f"/variants/{shelf.reference}/keys/",
        "/products/shelves/",
        "/merchants/",
    ):
        visit = visitor.open(path, size=size, theme=theme, lang=lang)
        look_over(visit, f"{path} {size} {theme} {lang}")
        weight = sum(len(body) for body in visit.bodies().values())
        assert weight < 200 * 1024, path


@pytest.mark.parametrize(("size", "theme", "lang"), APART)
def test_every_page_of_a_merchant_in_every_look(
    visitor: Visitor, counter: Login, shelf: Variant, size: tuple[int, int], theme: str, lang: str
) -> None:
    look = {"size": size, "theme": theme, "lang": lang}
    look_over(visitor.open("/merchant/login/", is_signed_in=False, **look), f"door {look}")
    for path in (
        "/merchant/",
        f"/merchant/products/{shelf.product.reference}/",
        f"/merchant/variants/{shelf.reference}/keys/",
        "/merchant/account/",
    ):
        look_over(sign_in(visitor, counter, path, **look), f"{path} {look}")


def test_a_product_from_nothing_to_sold_on_a_phone(visitor: Visitor) -> None:
    page = visitor.open("/merchants/", size=PHONE, lang="en").page
    page.fill("#f-name", "山海卡铺")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("fee 3 %")).to_be_visible()
    page.goto(page.url.split("/merchants/")[0] + "/products/new/")
    page.select_option("#f-merchant", label="山海卡铺")
    page.fill("#f-title", "原神 创世结晶 648")
    page.get_by_label("From the maker").check(force=True)
    page.get_by_role("button", name="Save the draft").click()
    page.fill("#n-new", "标准版")
    page.fill("#p-new", "648")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Keys").click()
    page.fill("#paste", f"{CANARY}\nAAAA-BBBB-1")
    page.get_by_role("button", name="Seal and store").click()
    expect(page.get_by_text("2 card keys came in.")).to_be_visible()
    expect(page.get_by_text("••••-88WV")).to_be_visible()
    assert CANARY not in page.content()
    page.get_by_role("link", name="Product", exact=True).click()
    page.get_by_role("button", name="Put on offer").click()
    expect(page.get_by_text("On offer now.")).to_be_visible()
    product = Product.objects.get()
    assert (product.state, [p.pk for p in queries.search("ysc")]) == ("listed", [product.pk])


def test_a_key_is_shown_with_a_reason_and_gone_with_the_next_page(
    visitor: Visitor, shelf: Variant
) -> None:
    actions.import_keys(variant=shelf, content=CANARY, by=None)
    page = visitor.open(f"/variants/{shelf.reference}/keys/?state=free", lang="en").page
    page.locator(".rows-key summary").first.click()
    page.get_by_label("Why do you look?").first.fill("the buyer asks")
    page.get_by_role("button", name="Show this key").first.click()
    expect(page.locator("#given")).to_have_text(CANARY)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.goto(page.url.replace("reveal/", ""))
    assert CANARY not in page.content()
    assert KeyAccess.objects.filter(role="operator").count() == 1


def test_a_dropped_file_is_taken_in_or_refused_by_line(
    visitor: Visitor, shelf: Variant, tmp_path: Path
) -> None:
    good, bad = tmp_path / "七月.csv", tmp_path / "bad.txt"
    good.write_bytes("卡号,密码\n10001,AA11\n10002,BB22\n".encode("gbk"))
    bad.write_text("10003 CC33\nab\n")
    page = visitor.open(f"/variants/{shelf.reference}/keys/", lang="en").page
    page.set_input_files("#file", str(good))
    expect(page.get_by_text("2 card keys came in.")).to_be_visible()
    page.set_input_files("#file", str(bad))
    expect(page.get_by_text("line 2: shorter than a card key can be")).to_be_visible()
    assert CardKey.objects.filter(variant=shelf).count() == 62


def test_a_merchant_brings_keys_in_without_a_script(
    visitor: Visitor, counter: Login, shelf: Variant
) -> None:
    path = f"/merchant/variants/{shelf.reference}/keys/"
    page = sign_in(visitor, counter, path, lang="en", has_script=False).page
    page.fill("#paste", CANARY)
    page.get_by_role("button", name="Seal and store").click()
    expect(page.get_by_text("1 card key came in.")).to_be_visible()
    assert CardKey.objects.filter(last_four="88WV").count() == 1
    page.goto(page.url.split("/merchant/")[0] + "/products/")
    assert "/login/?next=" in page.url
