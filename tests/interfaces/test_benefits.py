"""Levels, offers and coupons in the console: what is typed is what members get, once, and within its bounds."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.interfaces.console.benefits import OfferLine
from liuke.membership import queries
from liuke.membership.actions import return_offer
from liuke.membership.models import Coupon, CouponKind, Ladder, Level, Offer
from liuke.orders.queries import offers_done
from liuke.people.actions import erase_member
from liuke.people.models import Login, Member, StaffAct
from tests.delivery import make as delivery
from tests.engagement import make as engagement
from tests.membership import make
from tests.orders import make as orders

pytestmark = pytest.mark.django_db
LEVELS_PATH, SPECIAL_PATH = "/benefits/levels/members/", "/benefits/special-price/"
COUPON_PATH = "/benefits/coupons/new/"
SHIPPED = [("普通会员", 0, 0, 100), ("白银会员", 2, 10_000, 98), ("黄金会员", 5, 50_000, 95)]
LEVELS = {
    "regular-name": "普通会员", "regular-pays_percent": "100",
    "silver-name": "白银会员", "silver-orders_from": "2", "silver-spent_from": "100",
    "silver-pays_percent": "98",
    "gold-name": "黄金会员", "gold-orders_from": "5", "gold-spent_from": "500",
    "gold-pays_percent": "95",
    "new-name": "", "new-orders_from": "", "new-spent_from": "", "new-pays_percent": "",
}  # fmt: skip
GIFT = {"name": "10 brings 5", "scope": "scene:games", "min_payable": "10", "gift_quantity": "2"}
SPECIAL = {
    "name": "Come back", "scope": "", "how": "percent", "percent_off": "30", "quantity_max": "1",
}  # fmt: skip
COUPON = {
    "name": "Five off", "how": "off", "off": "5", "min_spend": "20", "scope": "",
    "per_person_max": "1", "valid_days": "7", "budget": "1000",
}  # fmt: skip


@pytest.fixture
def silent(nobody_held_out: None, tmp_path: Path) -> Source:
    """The shop's own source: three silent members."""
    return engagement.shop(tmp_path, ["13800138001", "13800138002", "13800138003"], source="site")


def fresh(visitor: Client, path: str = "/benefits/") -> str:
    """The token of a form that was not sent yet."""
    token: str = visitor.get(path).context["once"]
    return token


def send(visitor: Client, path: str, said: dict[str, str], **changes: str) -> HttpResponse:
    """Send a fresh form."""
    return visitor.post(path, {**said, **changes, "once": fresh(visitor)})


def told(visitor: Client, path: str, said: dict[str, str]) -> dict[str, str]:
    """What is said beside which field of a refused form; the name that was typed stays."""
    answer = send(visitor, path, {**said, "name": "留着这一句"})
    assert answer.status_code == 400
    assert "留着这一句" in answer.content.decode()
    return {name: " ".join(says) for name, says in answer.context["form"].errors.items()}


def acts() -> list[str]:
    found = StaffAct.objects.filter(verb__regex=r"^(ladder|offer|coupon|coupon_kind)\.")
    return list(found.order_by("id").values_list("verb", flat=True))


# Levels -------------------------------------------------------------------------------------------


def ladder() -> list[tuple[str, int, int, int]]:
    found = Level.objects.filter(ladder="members").order_by("position")
    return [(one.name, one.orders_from, one.spent_from_fen, one.pays_percent) for one in found]


def test_the_page_counts_who_stands_where(visitor: Client) -> None:
    make.spend(orders.member(), 6000, 6000)
    make.spend(orders.member(), 6000)
    orders.member()
    page = visitor.get("/benefits/")
    lines = page.context["ladder"].levels
    assert [(line.level.name, line.asks, line.members) for line in lines] == [
        ("普通会员", "nothing", 2),
        ("白银会员", "2 orders and ¥100 spent", 1),
        ("黄金会员", "5 orders and ¥500 spent", 0),
    ]
    assert [other.ladder.key for other in page.context["others"]] == ["vip"]


def test_levels_are_changed_and_one_is_added_where_it_belongs(visitor: Client) -> None:
    who = orders.member()
    make.spend(who, 6000, 6000, 6000)
    added = {"name": "铂金", "orders_from": "3", "spent_from": "110.5", "pays_percent": "97"}
    fields = {f"new-{key}": value for key, value in added.items()}
    answer = send(visitor, LEVELS_PATH, {**LEVELS, **fields, "silver-name": "白银"})
    assert answer["Location"] == "/benefits/"
    assert ladder() == [
        ("普通会员", 0, 0, 100),
        ("白银", 2, 10_000, 98),
        ("铂金", 3, 11_050, 97),
        ("黄金会员", 5, 50_000, 95),
    ]
    assert queries.level_of(who.person_id).name == "铂金"
    assert "1 member came to another level" in visitor.get("/benefits/").content.decode()
    assert acts() == ["ladder.levels"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"silver-pays_percent": "94"},  # gold would pay more than silver
        {"gold-spent_from": "50"},  # less money than silver, more orders
        {"gold-pays_percent": "0"},
        {"gold-spent_from": "-1"},
        {"gold-spent_from": "1.005"},
        {"silver-name": ""},
        {"new-orders_from": "9"},  # a level without a name
        {"gold-pays_percent": "free"},
    ],
)
def test_levels_that_make_no_ladder_stay_in_the_form_and_change_nothing(
    wrong: dict[str, str], visitor: Client
) -> None:
    answer = send(visitor, LEVELS_PATH, {**LEVELS, "gold-name": "留着这一句", **wrong})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "留着这一句" in page
    assert "told-bad" in page
    assert (ladder(), acts()) == (SHIPPED, [])


def test_another_ladder_is_chosen_once_and_moves_everyone(visitor: Client) -> None:
    who = orders.member()
    make.spend(who, 15_000, 15_000)
    data = {"once": fresh(visitor)}
    for _ in range(2):
        assert visitor.post("/benefits/levels/vip/climb/", data)["Location"] == "/benefits/"
    assert Ladder.objects.get(is_active=True).key == "vip"
    assert queries.level_of(who.person_id).name == "VIP1"
    assert acts() == ["ladder.activate"]
    assert visitor.get("/benefits/").context["ladder"].ladder.key == "vip"
    for path in ("/benefits/levels/none/", "/benefits/levels/none/climb/"):
        assert visitor.post(path, data).status_code == 404


# Offers -------------------------------------------------------------------------------------------


def test_a_first_order_brings_what_was_typed_and_the_page_tells_what_it_cost(
    visitor: Client,
) -> None:
    shop = orders.shop(price_fen=500)
    data = {**GIFT, "gift": shop.coins.reference, "once": fresh(visitor)}
    for _ in range(2):
        assert visitor.post("/benefits/first-order/", data).status_code == 302
    offer = Offer.objects.get()
    assert (offer.kind, offer.scene_id, offer.gift_variant) == ("first_order", "games", shop.coins)
    assert (offer.min_payable_fen, offer.gift_quantity, offer.ends_at) == (1000, 2, None)
    delivery.paid(orders.order(shop.coins, 2))
    line = offer_lines(visitor, "first_order")[0]
    assert (line.says, line.about) == ("from ¥10 paid: 2 × Coins · 60", "Games")
    assert (line.done.orders, line.done.off_fen) == (1, 1000)
    assert acts() == ["offer.make"]


@pytest.mark.parametrize(
    ("said", "worth"),
    [
        ({}, (30, None, None)),
        ({"how": "off", "off": "2.50"}, (None, 250, None)),
        ({"how": "price", "price": "7", "scope": "variant"}, (None, None, 700)),
    ],
)
def test_a_special_price_is_what_was_typed(
    said: dict[str, str], worth: tuple[int | None, ...], visitor: Client
) -> None:
    coins = orders.shop().coins
    if "scope" in said:
        said = {**said, "scope": f"variant:{coins.reference}"}
    last = clock.today() + dt.timedelta(days=9)
    answer = send(visitor, SPECIAL_PATH, {**SPECIAL, **said, "ends_on": last.isoformat()})
    offer = Offer.objects.get()
    assert answer["Location"] == f"/benefits/#o-{offer.reference}"
    assert (offer.percent_off, offer.off_fen, offer.price_fen) == worth
    assert (offer.kind, offer.quantity_max) == ("special_price", 1)
    assert offer.variant == (coins if "scope" in said else None)
    assert offer.ends_at == clock.end_of_day(last)


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"percent_off": ""}, "percent_off", "1 to 99"),
        ({"percent_off": "100"}, "percent_off", "99"),
        ({"how": "off"}, "off", "above nothing"),
        ({"how": "off", "off": "0"}, "off", "above nothing"),
        ({"how": "off", "off": "-1"}, "off", "0"),
        ({"how": "price", "price": "5"}, "scope", "One price needs one product"),
        ({"how": "gold"}, "how", "gold"),
        ({"scope": "scene:nothing"}, "scope", "no such scene"),
        ({"scope": "variant:XXXX"}, "scope", "no such variant"),
        ({"scope": "site:all"}, "scope", "Choose one"),
        ({"ends_on": "2020-01-01"}, "ends_on", "over"),
        ({"ends_on": "soon"}, "ends_on", "valid date"),
        ({"quantity_max": "0"}, "quantity_max", "1"),
    ],
)
def test_a_special_price_that_cannot_be_is_refused_beside_its_field(
    wrong: dict[str, str], field: str, says: str, visitor: Client
) -> None:
    found = told(visitor, SPECIAL_PATH, {**SPECIAL, **wrong})
    assert list(found) == [field]
    assert says in found[field]
    assert not Offer.objects.exists()


def test_a_gift_is_on_offer_and_asks_its_buyer_nothing(visitor: Client) -> None:
    shop = orders.shop()
    question = {"key": "uid", "label": "UID", "kind": "text"}
    asking = orders.product(shop.merchant, title="Top-up", order_form=[question])
    for gift, says in (("", "required"), (asking.reference, "Choose one"), ("XXXX", "Choose one")):
        found = told(visitor, "/benefits/first-order/", {**GIFT, "gift": gift})
        assert list(found) == ["gift"]
        assert says in found["gift"]
    said = {**GIFT, "gift": shop.coins.reference, "min_payable": "0"}
    assert list(told(visitor, "/benefits/first-order/", said)) == ["min_payable"]
    assert not Offer.objects.exists()


def test_an_ended_offer_is_nobodys_and_ending_it_again_changes_nothing(visitor: Client) -> None:
    coins, who, offer = orders.shop().coins, orders.member(), make.special()
    make.grant(offer, who)
    assert orders.quote(coins, of=who).payable_fen == 700
    for _ in range(2):
        visitor.post(f"/benefits/offers/{offer.reference}/end/")
    assert orders.quote(coins, of=who).payable_fen == 1000
    assert acts() == ["offer.make", "offer.end"]
    assert offer_lines(visitor, "special_price")[0].is_over
    assert visitor.post("/benefits/offers/XXXX/end/").status_code == 404


def test_what_special_prices_took_off_counts_paid_orders_only(visitor: Client) -> None:
    coins, offer = orders.shop().coins, make.special()
    paid, unpaid, given_back = (orders.member() for _ in range(3))
    for who in (paid, unpaid, given_back):
        make.grant(offer, who)
    delivery.paid(orders.order(coins, 2, of=paid))
    orders.order(coins, of=unpaid)
    back = delivery.paid(orders.order(coins, of=given_back))
    return_offer(order_ref=back.reference)
    line = offer_lines(visitor, "special_price")[0]
    assert (line.granted, line.done.orders, line.done.off_fen) == (3, 1, 300)
    assert offers_done([offer.pk], since=clock.now()) == {}


def offer_lines(visitor: Client, kind: str) -> list[OfferLine]:
    found: list[OfferLine] = dict(visitor.get("/benefits/").context["kinds_of_offer"])[kind]
    return found


# Coupons ------------------------------------------------------------------------------------------


def test_a_kind_of_coupon_is_what_was_typed_and_is_made_once(visitor: Client) -> None:
    data = {**COUPON, "scope": "scene:games", "once": fresh(visitor)}
    for _ in range(2):
        assert visitor.post(COUPON_PATH, data).status_code == 302
    kind = CouponKind.objects.get()
    assert (kind.name, kind.scene_id, kind.off_fen, kind.percent_off) == (
        "Five off",
        "games",
        500,
        None,
    )
    assert (kind.min_spend_fen, kind.budget_fen, kind.valid_days) == (2000, 100_000, 7)
    more = {"how": "percent", "percent_off": "10", "off_max": "8.80", "min_spend": ""}
    send(visitor, COUPON_PATH, {**COUPON, **more})
    kind = CouponKind.objects.latest("id")
    assert (kind.off_fen, kind.percent_off, kind.off_max_fen) == (None, 10, 880)
    assert (kind.min_spend_fen, kind.scene_id) == (0, None)
    says = [line.says for line in visitor.get("/benefits/").context["coupons"]]
    assert says == ["10 % off, ¥8.80 at most", "¥5 off from ¥20"]
    assert acts() == ["coupon_kind.make"] * 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"off": ""}, "off"),
        ({"how": "percent", "percent_off": "10"}, "off_max"),
        ({"how": "percent", "off_max": "5"}, "percent_off"),
        ({"budget": "4.99"}, "budget"),
        ({"budget": "0"}, "budget"),
        ({"valid_days": "0"}, "valid_days"),
        ({"per_person_max": ""}, "per_person_max"),
        ({"min_spend": "-1"}, "min_spend"),
    ],
)
def test_a_kind_of_coupon_that_cannot_be_is_refused_beside_its_field(
    wrong: dict[str, str], field: str, visitor: Client
) -> None:
    assert list(told(visitor, COUPON_PATH, {**COUPON, **wrong})) == [field]
    assert not CouponKind.objects.exists()


def test_a_coupon_is_given_by_phone_once_a_click_and_told_by_whom(
    visitor: Client, operator: Login
) -> None:
    who, kind = orders.member("13800138001"), make.coupon_kind(per_person_max=3)
    data = {"phone": " 138-0013 8001", "once": fresh(visitor)}
    path = f"/benefits/coupons/{kind.reference}/give/"
    for _ in range(2):
        assert visitor.post(path, data).status_code == 302
    coupon = Coupon.objects.get()
    assert (coupon.person_id, coupon.kind) == (who.person_id, kind)
    act = StaffAct.objects.get(verb="coupon.give")
    assert (act.by, act.about, act.detail) == (operator, who.reference, {"name": "Five off"})
    page = visitor.get("/acts/?thing=membership").content.decode()
    assert f"/members/{who.reference}/" in page
    line = visitor.get("/benefits/").context["coupons"][0]
    assert (line.given, line.used, line.left_fen) == (1, 0, 10_000)


def test_a_coupon_that_is_not_given_is_told_beside_the_number(visitor: Client) -> None:
    who, kind = orders.member("13800138001"), make.coupon_kind()
    path = f"/benefits/coupons/{kind.reference}/give/"
    for phone in ("13800138002", "138", "", "x\x00y"):
        answer = send(visitor, path, {"phone": phone})
        assert answer.status_code == 404
        assert (answer.context["refused"].kind, answer.context["refused"].phone) == (
            kind.reference,
            phone,
        )
    make.coupon(who, kind)
    answer = send(visitor, path, {"phone": "13800138001"})
    assert answer.status_code == 409
    assert "had as many of these coupons" in answer.content.decode()
    assert 'value="13800138001"' in answer.content.decode()
    assert Coupon.objects.count() == 1
    assert visitor.post("/benefits/coupons/XXXX/give/", {}).status_code == 404


def test_stopped_coupons_are_given_to_nobody_and_those_given_stay_good(visitor: Client) -> None:
    coins, who, other = orders.shop().coins, orders.member("13800138001"), orders.member()
    kind = make.coupon_kind()
    coupon = make.coupon(other, kind)
    for _ in range(2):
        visitor.post(f"/benefits/coupons/{kind.reference}/stop/")
    answer = send(visitor, f"/benefits/coupons/{kind.reference}/give/", {"phone": "13800138001"})
    assert answer.status_code == 409
    assert not Coupon.objects.filter(person_id=who.person_id).exists()
    assert orders.quote(coins, 2, of=other, coupon_ref=coupon.reference).payable_fen == 1500
    assert acts() == ["coupon_kind.make", "coupon_kind.stop"]


def test_the_budget_shows_what_is_spent_locked_and_left(visitor: Client) -> None:
    coins, kind = orders.shop().coins, make.coupon_kind(budget_fen=2000)
    for is_paid in (True, False):
        who = orders.member()
        order = orders.order(coins, 2, of=who, coupon_ref=make.coupon(who, kind).reference)
        if is_paid:
            delivery.paid(order)
    line = visitor.get("/benefits/").context["coupons"][0]
    assert (line.kind.spent_fen, line.kind.locked_fen, line.left_fen) == (500, 500, 1000)
    assert [(part.key, part.width) for part in line.bar] == [
        ("go", 250.0),
        ("wait", 250.0),
        ("out", 500.0),
    ]
    assert (line.given, line.used) == (2, 1)


def test_a_coupon_is_given_on_the_members_own_page(
    visitor: Client, answering: Client, silent: Source
) -> None:
    who, kind = Member.objects.earliest("pk"), make.coupon_kind(per_person_max=3)
    here = f"/members/{who.reference}/"
    page = visitor.get(here)
    assert [each.reference for each in page.context["coupon_kinds"]] == [kind.reference]
    data = {"kind": kind.reference, "once": page.context["once"]}
    for _ in range(2):
        assert visitor.post(f"{here}coupon/", data)["Location"] == here
    assert Coupon.objects.get().person_id == who.person_id
    assert visitor.post(f"{here}coupon/", {"kind": "XXXX"}).status_code == 404
    assert answering.post(f"{here}coupon/", data).status_code == 403
    assert "/coupon/" not in answering.get(here).content.decode()
    assert Coupon.objects.count() == 1


def test_whoever_has_no_phone_number_is_given_nothing(visitor: Client, silent: Source) -> None:
    who, kind = Member.objects.earliest("pk"), make.coupon_kind()
    erase_member(member=who, by=None)
    here = f"/members/{who.reference}/"
    page = visitor.get(here)
    assert f"{here}coupon/" not in page.content.decode()
    data = {"kind": kind.reference, "once": page.context["once"]}
    answer = visitor.post(f"{here}coupon/", data, follow=True)
    assert "no phone number" in answer.content.decode()
    assert not Coupon.objects.exists()
