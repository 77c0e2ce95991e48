"""Products, variants and card keys in the console: what is typed is what is sold, and no key is shown in passing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from liuke.catalog import actions, queries
from liuke.catalog.models import CardKey, KeyAccess, KeyPolicy, Product, Scene, Variant
from liuke.merchants.models import Merchant
from liuke.people.models import Login
from tests.catalog import make
from tests.merchants import make as merchants

pytestmark = pytest.mark.django_db
CANARY = "CANARY-7F3K-29QX-88WV"


def typed(**more: str) -> dict[str, str]:
    """A product's form as somebody fills it in."""
    return {
        "title": "原神 创世结晶 648",
        "subject": "原神",
        "scene": "games",
        "source_kind": "official",
        "source_text": "直接向发行商采购",
        "arrival_minutes": "0",
        "accept_days": "3",
        **more,
    }


def page(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


# Products -----------------------------------------------------------------------------------------


def test_a_product_is_described_given_a_variant_and_put_on_offer(visitor: Client) -> None:
    merchant = merchants.merchant()
    questions = {
        "q-0-key": "q1",
        "q-0-label": "游戏账号",
        "q-0-kind": "text",
        "q-0-pattern": "[0-9]{9}",
        "q-0-is_required": "1",
        "q-1-key": "q2",
        "q-1-label": "区服",
        "q-1-kind": "choice",
        "q-1-choices": "天空岛，世界树\n亚服",
        "q-2-label": "",
    }
    answer = visitor.post(
        "/products/new/", typed(merchant=merchant.reference, kind="card_key", **questions)
    )
    product = Product.objects.get()
    assert answer["Location"] == f"/products/{product.reference}/"
    assert [(q["key"], q["label"], q["choices"]) for q in product.order_form] == [
        ("q1", "游戏账号", []),
        ("q2", "区服", ["天空岛", "世界树", "亚服"]),
    ]
    here = f"/products/{product.reference}/"
    assert (
        "Give the product a variant" in visitor.post(f"{here}offer/", follow=True).content.decode()
    )
    visitor.post(
        f"{here}add/",
        {
            "name": "标准版",
            "price": "648",
            "list_price": "660.5",
            "low_stock_at": "5",
            "stock_kind": "keys",
            "step-0-of": "5",
            "step-0-is": "640",
            "step-1-of": "10",
            "step-1-is": "630.50",
        },
    )
    variant = Variant.objects.get()
    assert (variant.price_fen, variant.list_price_fen, variant.low_stock_at) == (64_800, 66_050, 5)
    assert variant.quantity_prices == [[5, 64_000], [10, 63_050]]
    visitor.post(f"{here}offer/", {"do": "list"})
    assert Product.objects.get().state == "listed"
    shown = page(visitor, here)
    assert all(text in shown for text in ("标准版", "¥648", "¥660.50", "直接向发行商采购", "区服"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"scene": "nothing"},
        {"accept_days": "91"},
        {"merchant": "XXXX"},
        {"kind": "gold"},
        {"q-0-label": "号", "q-0-kind": "text", "q-0-pattern": "(a+)+"},
        {"q-0-label": "区", "q-0-kind": "choice"},
    ],
)
def test_a_product_that_makes_no_sense_is_refused_and_what_was_typed_stays(
    wrong: dict[str, str], visitor: Client
) -> None:
    merchant = merchants.merchant()
    answer = visitor.post(
        "/products/new/",
        {**typed(merchant=merchant.reference, kind="card_key", subtitle="留着这一句"), **wrong},
    )
    assert answer.status_code == 400
    assert "留着这一句" in answer.content.decode()
    assert Product.objects.count() == 0


def test_without_a_merchant_the_page_says_where_to_open_one(visitor: Client) -> None:
    assert "/merchants/" in page(visitor, "/products/new/")


def test_a_product_is_changed(visitor: Client) -> None:
    product = make.product(order_form=[{"key": "uid", "label": "UID", "kind": "text"}])
    here = f"/products/{product.reference}/edit/"
    assert 'value="UID"' in page(visitor, here)
    answer = visitor.post(here, typed(title="原神 月卡", **{"q-0-key": "uid", "q-0-label": ""}))
    assert answer.status_code == 302
    changed = Product.objects.get()
    assert (changed.title, changed.order_form) == ("原神 月卡", [])
    assert visitor.post(here, typed(title=" ")).status_code == 400
    assert Product.objects.get().title == "原神 月卡"


def test_the_list_is_searched_filtered_and_says_what_is_left(visitor: Client) -> None:
    genshin = make.product(is_listed=True)
    make.variant(genshin, "豪华版", keys=120)
    other = make.product(genshin.merchant, title="腾讯视频 月卡", scene="films")
    everything = page(visitor, "/products/")
    assert all(text in everything for text in ("原神", "腾讯视频", "99+", "豪华版", "Draft"))
    for query, there, not_there in (
        ({"search": "ysc"}, genshin, other),
        ({"scene": "films"}, other, genshin),
        ({"state": "listed"}, genshin, other),
    ):
        found = page(visitor, "/products/", **query)
        assert there.title in found
        assert not_there.title not in found
    assert "Nothing like that" in page(visitor, "/products/", search="没有")


def test_what_runs_out_is_listed(visitor: Client) -> None:
    product = make.product(is_listed=True)
    variant = make.variant(product, "快没了", keys=2, low_stock_at=3)
    shown = page(visitor, "/products/")
    assert "快没了" in shown
    assert f"/variants/{variant.reference}/keys/" in shown


def test_text_of_a_product_is_shown_as_text(visitor: Client) -> None:
    script = "<script>alert(1)</script>"
    product = make.product(title=script, body=script, source_text=script, is_listed=True)
    for path in ("/products/", f"/products/{product.reference}/"):
        shown = page(visitor, path)
        assert script not in shown
        assert "&lt;script&gt;" in shown


# Variants -----------------------------------------------------------------------------------------


def test_a_variant_is_changed_and_hidden(visitor: Client) -> None:
    variant = make.variant(price=100, quantity_prices=[[5, 90]])
    here = f"/variants/{variant.reference}"
    visitor.post(
        f"{here}/edit/", {"name": "新名", "price": "0.8", "step-0-of": "3", "step-0-is": ".7"}
    )
    kept = Variant.objects.get()
    assert (kept.name, kept.price_fen, kept.quantity_prices) == ("新名", 80, [[3, 70]])
    visitor.post(f"{here}/offer/", {"do": "hide"})
    assert Variant.objects.get().state == "hidden"
    visitor.post(f"{here}/offer/", {"do": "list"})
    assert Variant.objects.get().state == "listed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "-1"},
        {"price": "1.234"},
        {"price": "a"},
        {"price": ""},
        {"name": ""},
        {"list_price": "0.5"},
        {"step-0-of": "x", "step-0-is": "1"},
        {"step-0-of": "5", "step-0-is": ""},
        {"step-0-of": "5", "step-0-is": "9"},
        {"low_stock_at": "-3"},
    ],
)
def test_prices_that_make_no_sense_change_nothing(wrong: dict[str, str], visitor: Client) -> None:
    variant = make.variant(price=100)
    before = Variant.objects.values().get()
    given = {"name": variant.name, "price": "1", **wrong}
    answer = visitor.post(f"/variants/{variant.reference}/edit/", given)
    assert answer.status_code == 400
    add = f"/products/{variant.product.reference}/add/"
    assert visitor.post(add, {**given, "stock_kind": "keys"}).status_code == 400
    assert Variant.objects.values().get() == before


def test_a_bundle_is_put_together_from_the_products_own_variants(visitor: Client) -> None:
    product = make.product()
    one, two = make.variant(product, "一"), make.variant(product, "二")
    theirs = make.variant(make.product(merchants.merchant("别家")), "别家的")
    add = f"/products/{product.reference}/add/"
    given = {"name": "套餐", "price": "9", "stock_kind": "bundle", "part-0-of": one.reference}
    visitor.post(add, {**given, "part-1-of": two.reference, "part-1-is": "3"})
    bundle = Variant.objects.get(name="套餐")
    assert [(p.part, p.quantity) for p in queries.parts_of(bundle)] == [(one, 1), (two, 3)]
    refused = visitor.post(add, {**given, "name": "坏", "part-0-of": theirs.reference})
    assert refused.status_code == 400
    edit = f"/variants/{bundle.reference}/edit/"
    visitor.post(edit, {"name": "套餐", "price": "9", "part-0-of": two.reference, "part-0-is": "2"})
    assert [(p.part, p.quantity) for p in queries.parts_of(bundle)] == [(two, 2)]


def test_counted_stock_is_added_to_and_taken_from(visitor: Client) -> None:
    variant = make.variant(make.product(kind="top_up"), stock_count=5)
    here = f"/variants/{variant.reference}/stock/"
    visitor.post(here, {"quantity": "+10"})
    visitor.post(here, {"quantity": "-3"})
    assert make.left(variant) == 12
    refused = visitor.post(here, {"quantity": "-99"}, follow=True).content.decode()
    assert "sold out, or there are not that many" in refused
    assert make.left(variant) == 12


# Card keys ----------------------------------------------------------------------------------------


def test_keys_are_pasted_or_dropped_counted_and_masked(visitor: Client) -> None:
    variant = make.variant()
    here = f"/variants/{variant.reference}/keys/"
    done = visitor.post(f"{here}take/", {"keys": f"{CANARY}\nAAAA-1"}, follow=True)
    assert "2 card keys came in." in done.content.decode()
    file = SimpleUploadedFile("七月.csv", "卡号,密码\n10001,SECRET99\n".encode("gbk"))
    told = visitor.post(
        f"{here}take/", {"file": file}, headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert told.content.decode() == here
    shown = page(visitor, here)
    assert "七月.csv" in shown
    assert "••••-88WV" in shown
    assert not any(secret in shown for secret in (CANARY, "AAAA-1", "SECRET99"))
    assert queries.key_counts(variant).free == 3


def test_refused_lines_are_told_once_and_name_no_key(visitor: Client) -> None:
    variant = make.variant()
    here = f"/variants/{variant.reference}/keys/"
    visitor.post(f"{here}take/", {"keys": CANARY})
    refused = visitor.post(
        f"{here}take/", {"keys": f"ab\n{CANARY}\n"}, follow=True
    ).content.decode()
    assert "line 1: shorter than a card key can be" in refused
    assert "line 2: this merchant has it already" in refused
    assert CANARY not in refused
    assert "line 1" not in page(visitor, here)
    nothing = visitor.post(f"{here}take/", {"keys": "  "}, follow=True).content.decode()
    assert "There is no card key in this." in nothing
    assert CardKey.objects.count() == 1


def test_a_key_is_shown_once_with_a_reason_and_that_is_written_down(
    visitor: Client, operator: Login
) -> None:
    variant = make.variant()
    here = f"/variants/{variant.reference}/keys/"
    visitor.post(f"{here}take/", {"keys": CANARY})
    key = CardKey.objects.get()
    silent = visitor.post(f"{here}reveal/", {"key": key.pk, "reason": " "})
    assert (silent.status_code, KeyAccess.objects.count()) == (400, 0)
    assert CANARY not in silent.content.decode()
    shown = visitor.post(f"{here}reveal/", {"key": key.pk, "reason": "buyer asks"})
    assert CANARY in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    line = KeyAccess.objects.get()
    assert (line.login, line.role, line.reason, line.network) == (
        operator,
        "operator",
        "buyer asks",
        "127.0.0.1",
    )
    assert CANARY not in page(visitor, here)
    assert "seen once" in page(visitor, here)


def test_a_key_of_another_variant_is_none_here(visitor: Client) -> None:
    product = make.product()
    one, two = make.variant(product, "一", keys=1), make.variant(product, "二", keys=1)
    key = CardKey.objects.get(variant=two)
    for text in (str(key.pk), "0", "-1", "x", "", "9" * 30):
        for deed in ("reveal", "end"):
            answer = visitor.post(
                f"/variants/{one.reference}/keys/{deed}/", {"key": text, "reason": "why"}
            )
            assert answer.status_code == 404
    assert KeyAccess.objects.count() == 0


def test_keys_and_batches_are_taken_out_of_use(visitor: Client) -> None:
    variant = make.variant(keys=5)
    here = f"/variants/{variant.reference}/keys/"
    first, second = CardKey.objects.order_by("id")[:2]
    visitor.post(f"{here}end/", {"key": first.pk, "do": "bad", "reason": "does not work"})
    visitor.post(f"{here}end/", {"key": second.pk, "do": "revoke", "reason": "recalled"})
    batch = variant.batches.get().reference
    refused = visitor.post(f"/batches/{batch}/end/", {"reason": ""}, follow=True)
    assert "Say why." in refused.content.decode()
    visitor.post(f"/batches/{batch}/end/", {"reason": "wrong file"})
    counts = queries.key_counts(variant)
    assert (counts.free, counts.bad, counts.revoked) == (0, 1, 4)
    assert "recalled" in page(visitor, here, state="revoked")


def test_scenes_and_the_limit_of_looking_are_the_operators(visitor: Client) -> None:
    visitor.post(
        "/products/shelves/scene/",
        {"key": "gifts", "name_zh": "礼品卡", "name_en": "Gifts", "position": "0"},
    )
    assert Scene.objects.get(key="gifts").name_zh == "礼品卡"
    refused = visitor.post("/products/shelves/scene/", {"key": "Gifts!"}, follow=True)
    assert "The key has 1 to 24 letters." in refused.content.decode()
    visitor.post("/products/shelves/reveals/", {"reveals": "5"})
    assert queries.policy().reveals_an_hour == 5
    visitor.post("/products/shelves/reveals/", {"reveals": "0"})
    assert KeyPolicy.objects.count() == 2


def test_one_key_at_two_merchants_is_pointed_at(visitor: Client) -> None:
    for name in ("甲家", "乙家"):
        variant = make.variant(make.product(merchants.merchant(name)))
        actions.import_keys(variant=variant, content=CANARY, by=None)
    shown = page(visitor, "/products/shelves/")
    assert all(text in shown for text in ("One key, two merchants", "甲家", "乙家", "88WV"))
    assert CANARY not in shown


# Merchants ----------------------------------------------------------------------------------------


def test_a_merchant_is_opened_changed_and_let_in(visitor: Client) -> None:
    visitor.post("/merchants/open/", {"name": "山海卡铺", "fee": "3.5"})
    merchant = Merchant.objects.get()
    assert (merchant.fee_permyriad, merchant.state) == (350, "active")
    here = f"/merchants/{merchant.reference}/"
    visitor.post(here, {"fee": "0"})
    visitor.post(here, {"do": "pause"})
    merchant.refresh_from_db()
    assert (merchant.fee_permyriad, merchant.state) == (0, "paused")
    visitor.post(here, {"do": "resume"})
    shown = visitor.post(f"{here}staff/", {"name": "店员小周"}).content.decode()
    password = shown.split('id="given">')[1].split("<")[0]
    assert password not in page(visitor, "/merchants/")
    given = {"username": "店员小周", "password": password}
    assert Client().post("/merchant/login/", given)["Location"] == "/merchant/"
    fresh = visitor.post(f"{here}staff/change/", {"name": "店员小周"}).content.decode()
    assert password not in fresh
    assert Client().post("/merchant/login/", given).status_code == 200  # the old one is over
    visitor.post(f"{here}staff/change/", {"name": "店员小周", "do": "close"})
    assert not Login.objects.get(name="店员小周").is_active


@pytest.mark.parametrize(
    ("name", "fee"),
    [("", "3"), ("甲", "51"), ("甲", "-1"), ("甲", "x"), ("甲", "0.001"), ("甲", "NaN")],
)
def test_a_merchant_that_makes_no_sense_is_not_opened(name: str, fee: str, visitor: Client) -> None:
    assert visitor.post("/merchants/open/", {"name": name, "fee": fee}).status_code == 400
    assert Merchant.objects.count() == 0


def test_nobody_of_the_console_is_changed_through_a_merchant(visitor: Client, agent: Login) -> None:
    merchant = merchants.merchant()
    before = Login.objects.get(pk=agent.pk).password
    path = f"/merchants/{merchant.reference}/staff/change/"
    assert visitor.post(path, {"name": agent.name}).status_code == 404
    assert visitor.post(path, {"name": agent.name, "do": "close"}).status_code == 404
    after = Login.objects.get(pk=agent.pk)
    assert (after.password, after.is_active) == (before, True)


def test_the_staff_page_makes_nobody_a_merchant(visitor: Client) -> None:
    answer = visitor.post("/staff/add/", {"name": "新人", "role": "merchant"})
    assert answer.status_code == 400
    assert not Login.objects.filter(name="新人").exists()
    login = merchants.staff(merchants.merchant())
    assert login.name not in page(visitor, "/staff/")


def test_every_act_of_the_catalog_has_words(visitor: Client) -> None:
    from liuke.interfaces.ui.staff_words import ACTS
    from liuke.people.models import StaffAct

    product = make.product(is_listed=True)
    variant = queries.variants_of(product).get()
    make.import_keys(variant, 3)
    actions.edit_variant(variant=variant, name="新", price_fen=1, by=None)
    actions.mark_bad(key_id=CardKey.objects.order_by("id")[0].pk, why="x", by=Login.objects.get())
    actions.revoke_batch(batch=variant.batches.get(), why="x", by=None)
    done: Any = StaffAct.objects.values_list("verb", flat=True)
    assert sorted(set(done) - set(ACTS)) == []
    assert "brought card keys in" in page(visitor, "/acts/", thing="keys")
