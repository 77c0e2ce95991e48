"""Merchants at their own door: in by name, password and second factor, and nothing of anybody else inside."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote

import pytest
from django.test import Client

from liuke.base import clock
from liuke.catalog import actions, queries
from liuke.catalog.models import CardKey, KeyAccess, Variant
from liuke.merchants.actions import close_merchant, pause_merchant
from liuke.merchants.models import Merchant
from liuke.people.actions import change_password, open_login, set_active, set_totp_required
from liuke.people.models import Login
from tests.catalog import make
from tests.merchants import make as merchants
from tests.people.make import code_of, with_totp

pytestmark = pytest.mark.django_db
CANARY = "CANARY-7F3K-29QX-88WV"


@pytest.fixture
def merchant(db: None) -> Merchant:
    set_totp_required(is_required=False, by=None)
    return merchants.merchant()


@pytest.fixture
def login(merchant: Merchant) -> Login:
    return merchants.staff(merchant)


@pytest.fixture
def variant(merchant: Merchant) -> Variant:
    product = make.product(merchant, is_listed=True)
    return make.variant(product, "豪华版", keys=2)


def browser() -> Client:
    client = Client()
    client.cookies["lang"] = "en"
    return client


def enter(name: str, password: str = merchants.PASSWORD, client: Client | None = None) -> Client:
    client = client or browser()
    client.post("/merchant/login/", {"username": name, "password": password})
    return client


@pytest.fixture
def inside(login: Login) -> Client:
    return enter(login.name)


# The door -----------------------------------------------------------------------------------------


def test_in_and_out_and_back_to_where_one_wanted(login: Login, variant: Variant) -> None:
    client = browser()
    path = f"/merchant/variants/{variant.reference}/keys/"
    asked = client.get(path)
    assert asked["Location"] == f"/merchant/login/?next={quote(path, safe='')}"
    given = {"username": login.name, "password": merchants.PASSWORD, "next": path}
    assert client.post("/merchant/login/", given)["Location"] == path
    assert client.get(path).status_code == 200
    assert client.cookies["merchant"]["path"] == "/merchant/"
    assert client.cookies["merchant"]["httponly"]
    client.post("/merchant/logout/")
    assert client.get(path).status_code == 302


@pytest.mark.parametrize("back", ["https://bad.example/", "//bad.example", "/members/", "/"])
def test_the_door_leads_nowhere_else(back: str, login: Login) -> None:
    given = {"username": login.name, "password": merchants.PASSWORD, "next": back}
    assert browser().post("/merchant/login/", given)["Location"] == "/merchant/"


def test_staff_of_the_site_and_wrong_passwords_are_refused_alike(
    login: Login, operator: Login
) -> None:
    open_login(name="孤儿", password=merchants.PASSWORD, role="merchant")
    told = set()
    for name, password in (
        (login.name, "wrong password"),
        ("nobody", "wrong password"),
        (operator.name, merchants.PASSWORD),
    ):
        answer = browser().post("/merchant/login/", {"username": name, "password": password})
        assert answer.status_code == 200
        assert "do not go together" in answer.content.decode()
        told.add("merchant" in answer.cookies)
    assert told == {False}
    orphan = enter("孤儿")  # a login without a merchant has nothing to see
    assert orphan.get("/merchant/")["Location"].startswith("/merchant/login/")


def test_a_merchant_is_nobody_at_the_consoles_door(login: Login) -> None:
    client = browser()
    answer = client.post("/login/", {"username": login.name, "password": merchants.PASSWORD})
    assert answer.status_code == 200
    assert "do not go together" in answer.content.decode()
    assert client.get("/")["Location"].startswith("/login/")


def test_guessing_locks_the_name(login: Login) -> None:
    client = browser()
    for _ in range(5):
        answer = client.post("/merchant/login/", {"username": login.name, "password": "guess"})
    assert "Too many wrong passwords" in answer.content.decode()
    right = {"username": login.name, "password": merchants.PASSWORD}
    assert "merchant" not in client.post("/merchant/login/", right).cookies


def test_a_right_password_forgives_the_wrong_ones_before(login: Login) -> None:
    for _ in range(3):
        for _ in range(3):
            browser().post("/merchant/login/", {"username": login.name, "password": "guess"})
        assert enter(login.name).get("/merchant/").status_code == 200


def test_a_second_factor_is_asked_for(login: Login, noon: dt.datetime) -> None:
    secret, _ = with_totp(login)
    client = enter(login.name)
    assert client.get("/merchant/").status_code == 302
    with clock.stopped_at(noon + dt.timedelta(minutes=1)):
        wrong = client.post("/merchant/login/code/", {"code": "000000"})
        assert wrong.status_code == 403
        assert client.get("/merchant/").status_code == 302
        done = client.post("/merchant/login/code/", {"code": code_of(secret)})
        assert done["Location"] == "/merchant/"
        assert client.get("/merchant/").status_code == 200


def test_where_the_house_asks_for_it_an_authenticator_is_set_up_on_the_way_in(
    login: Login,
) -> None:
    set_totp_required(is_required=True, by=None)
    client = enter(login.name)
    shown = client.get("/merchant/login/authenticator/").content.decode()
    secret = shown.split('id="key">')[1].split("<")[0]
    done = client.post("/merchant/login/authenticator/", {"code": code_of(secret)})
    assert "Keep these codes" in done.content.decode()
    assert client.get("/merchant/").status_code == 200


def test_half_the_way_into_one_door_leads_nowhere_in_the_other(
    login: Login, operator: Login
) -> None:
    with_totp(login)
    client = enter(login.name)
    assert client.get("/login/code/")["Location"] == "/login/"


def test_a_session_ends_with_the_login_and_with_its_password(login: Login) -> None:
    first, second = enter(login.name), enter(login.name)
    change_password(name=login.name, password="another good password")
    assert first.get("/merchant/").status_code == 302
    second = enter(login.name, "another good password")
    assert second.get("/merchant/").status_code == 200
    set_active(name=login.name, is_active=False, by=None)
    assert second.get("/merchant/").status_code == 302


def test_one_changes_ones_own_password_and_stays(inside: Client, login: Login) -> None:
    other = enter(login.name)
    path = "/merchant/account/password/"
    given = {
        "present": merchants.PASSWORD,
        "fresh": "a fresh good one",
        "again": "a fresh good one",
    }
    for wrong in ({"present": "x"}, {"again": "y"}, {"fresh": "short", "again": "short"}):
        assert inside.post(path, {**given, **wrong}).status_code == 400
    assert inside.post(path, given)["Location"] == "/merchant/account/"
    assert inside.get("/merchant/").status_code == 200
    assert other.get("/merchant/").status_code == 302
    assert enter(login.name, "a fresh good one").get("/merchant/").status_code == 200


# Inside -------------------------------------------------------------------------------------------


def test_one_sees_ones_own_products_and_stock_and_nobody_elses(
    inside: Client, variant: Variant
) -> None:
    theirs = make.variant(
        make.product(merchants.merchant("别家"), title="别家的货"), "别家版", keys=1
    )
    shown = inside.get("/merchant/").content.decode()
    assert variant.product.title in shown
    assert "豪华版" in shown
    assert "别家" not in shown
    found = inside.get("/merchant/", {"search": "别家的货"}).content.decode()
    assert "Nothing like that" in found
    assert theirs.product.reference not in found
    before = CardKey.objects.filter(variant=theirs).values().get()
    for path, given in (
        (f"products/{theirs.product.reference}/", None),
        (f"variants/{theirs.reference}/keys/", None),
        (f"variants/{theirs.reference}/keys/take/", {"keys": "NEW-KEY-1"}),
        (f"variants/{theirs.reference}/stock/", {"quantity": "5"}),
        (f"variants/{theirs.reference}/keys/reveal/", {"key": before["id"], "reason": "why"}),
        (f"variants/{theirs.reference}/keys/end/", {"key": before["id"], "reason": "why"}),
        (f"variants/{variant.reference}/keys/reveal/", {"key": before["id"], "reason": "why"}),
        (f"variants/{variant.reference}/keys/end/", {"key": before["id"], "reason": "why"}),
        (f"batches/{theirs.batches.get().reference}/end/", {"reason": "why"}),
    ):
        path = f"/merchant/{path}"
        answer = inside.post(path, given) if given else inside.get(path)
        assert answer.status_code == 404, path
        assert "别家" not in answer.content.decode()
        unknown = path.replace(theirs.reference, "2222222222")
        assert unknown == path or (inside.post(unknown, given or {})).status_code in (404, 405)
    assert CardKey.objects.filter(variant=theirs).values().get() == before
    assert KeyAccess.objects.count() == 0


def test_keys_come_in_and_unsold_ones_may_be_looked_at(
    inside: Client, login: Login, variant: Variant
) -> None:
    here = f"/merchant/variants/{variant.reference}/keys/"
    told = inside.post(f"{here}take/", {"keys": CANARY}, follow=True).content.decode()
    assert "1 card key came in." in told
    assert CANARY not in told
    key = CardKey.objects.get(last_four="88WV")
    shown = inside.post(f"{here}reveal/", {"key": key.pk, "reason": "to compare"})
    assert CANARY in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    line = KeyAccess.objects.get()
    assert (line.login, line.role, line.reason) == (login, "merchant", "to compare")
    assert queries.batches(variant)[0].by == login


def test_a_sold_key_is_not_shown_to_its_merchant(inside: Client, variant: Variant) -> None:
    make.hold("o1", (variant, 1))
    sold = actions.take_stock(token="o1")[0].key_id
    here = f"/merchant/variants/{variant.reference}/keys/"
    answer = inside.post(f"{here}reveal/", {"key": sold, "reason": "curious"})
    assert answer.status_code == 403
    assert KeyAccess.objects.count() == 0
    assert f'value="{sold}"' in inside.get(here).content.decode()  # it may still be marked bad


def test_keys_are_ended_and_stock_is_counted(
    inside: Client, merchant: Merchant, variant: Variant
) -> None:
    here = f"/merchant/variants/{variant.reference}/keys/"
    inside.post(
        f"{here}end/", {"key": CardKey.objects.order_by("id")[0].pk, "do": "bad", "reason": "x"}
    )
    inside.post(
        f"/merchant/batches/{variant.batches.get().reference}/end/", {"reason": "wrong file"}
    )
    counts = queries.key_counts(variant)
    assert (counts.free, counts.bad, counts.revoked) == (0, 1, 1)
    top_up = make.variant(make.product(merchant, kind="top_up"), stock_count=1)
    inside.post(f"/merchant/variants/{top_up.reference}/stock/", {"quantity": "9"})
    assert make.left(top_up) == 10


def test_a_paused_or_closed_merchant_is_told_so(inside: Client, merchant: Merchant) -> None:
    pause_merchant(reference=merchant.reference, by=None)
    assert "You do not sell at the moment" in inside.get("/merchant/").content.decode()
    close_merchant(reference=merchant.reference, by=None)
    assert "This merchant is closed" in inside.get("/merchant/").content.decode()
