"""Orders in the console: found, told from beginning to end, and moved on by whoever may; and what needs a person."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from liuke.base import clock
from liuke.base.ids import dashed_order_number
from liuke.catalog.models import KeyAccess
from liuke.delivery.actions import accept_delivery, reject_delivery, reveal, set_delivery_policy
from liuke.delivery.models import Delivery, Rejection
from liuke.ledger.models import Entry
from liuke.orders.models import Order
from liuke.payments.actions import confirm_payment, refund_order
from liuke.payments.actions.discrepancies import note_discrepancy
from liuke.payments.gateways.protocol import Trade
from liuke.payments.gateways.sandbox import APP_ID, SELLER
from liuke.payments.models import Discrepancy, Payment, Refund
from liuke.people.models import Login, StaffAct
from tests.delivery import make
from tests.orders import make as orders
from tests.orders.make import Shop

pytestmark = pytest.mark.django_db
FORM = [
    {"key": "uid", "label": "游戏账号", "kind": "text"},
    {"key": "password", "label": "密码", "kind": "secret", "is_required": False},
]
TOLD = {"uid": "100200300", "password": "hunter2-CANARY"}


@pytest.fixture
def shop(noon: dt.datetime) -> Shop:
    """Coins at 10 yuan, five of them."""
    return orders.shop()


@pytest.fixture
def by_hand(shop: Shop) -> Order:
    """A paid top-up that waits for somebody's hands: promised within an hour."""
    top_up = orders.product(
        shop.merchant, kind="top_up", title="直充 648", order_form=FORM, arrival_minutes=60
    )
    return make.delivered(orders.order(top_up, form=TOLD))


def page(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def here(order: Order) -> str:
    return f"/orders/{order.reference}/"


def once(client: Client, order: Order) -> str:
    """The token of the form that gives money back."""
    found = re.search(r'name="once" value="([^"]+)"', page(client, here(order)))
    assert found
    return found[1]


def world() -> dict[str, Any]:
    """What a refusal leaves as it was."""
    return {
        "orders": list(Order.objects.order_by("id").values()),
        "deliveries": list(Delivery.objects.order_by("id").values()),
        "rejections": list(Rejection.objects.order_by("id").values()),
        "refunds": list(Refund.objects.order_by("id").values()),
        "discrepancies": list(Discrepancy.objects.order_by("id").values()),
        "entries": Entry.objects.count(),
        "looks": KeyAccess.objects.count(),
        "acts": StaffAct.objects.count(),
    }


# The list -----------------------------------------------------------------------------------------


def test_orders_are_found_by_number_phone_title_and_state(visitor: Client, shop: Shop) -> None:
    li = orders.member("13800138000")
    mine, other = orders.order(shop.coins, of=li), orders.order(shop.coins)
    make.delivered(other)
    listed = page(visitor, "/orders/")
    assert listed.index(other.reference) < listed.index(mine.reference)  # the last first
    assert "138****8000" in listed
    for query, there, not_there in (
        ({"search": "138 0013 8000"}, mine, other),
        ({"state": "placed"}, mine, other),
        ({"state": "delivered"}, other, mine),
    ):
        found = page(visitor, "/orders/", **query)
        assert there.reference in found
        assert not_there.reference not in found
    for text in (mine.reference, dashed_order_number(mine.reference).lower()):
        assert visitor.get("/orders/", {"search": text})["Location"] == here(mine)
    both = page(visitor, "/orders/", search=mine.reference[:6])
    assert mine.reference in both
    assert other.reference in both
    assert mine.reference in page(visitor, "/orders/", search="oin")
    assert "No order like that" in page(visitor, "/orders/", search="没有这样的")


def test_the_list_has_pages_and_asks_little_of_the_database(
    visitor: Client, shop: Shop, django_assert_max_num_queries: Any
) -> None:
    orders.keys(shop.coins, 40)
    for _ in range(31):
        orders.order(shop.coins)
    with django_assert_max_num_queries(14):
        first = page(visitor, "/orders/")
    assert first.count('class="m-name n"') == 30
    assert page(visitor, "/orders/", page="2").count('class="m-name n"') == 1


# One order ----------------------------------------------------------------------------------------


def test_an_order_tells_its_price_its_way_and_its_money(visitor: Client, shop: Shop) -> None:
    order = make.delivered(orders.order(shop.coins))
    key = make.keys(order)[0]
    reveal(key_id=key.pk, member=order.member)
    accept_delivery(line_id=make.line_id(order), member=order.member)
    shown = page(visitor, here(order))
    assert f"/members/{order.member.reference}/" in shown
    way = [
        "Ordered",
        "¥10 paid: Balance",
        "Handed over: “Coins”",
        f"The buyer looked at the key ending {key.key.last_four}",
        "Accepted by the buyer: “Coins”",
        "Completed: the merchants got their money",
    ]
    assert [shown.index(said) for said in way] == sorted(shown.index(said) for said in way)
    book = shown.split('id="book-h"')[1]
    for said in (
        "Balance of the buyer", "Escrow of the order", f"Earned by {shop.merchant.name}",
        "Our fee", "¥9.70", "¥0.30",
    ):  # fmt: skip
        assert said in book
    assert re.search(r"In escrow now</span> <span class=\"big-n\">¥0<", book)


def test_keys_are_masked_and_shown_with_a_reason_that_is_written_down(
    visitor: Client, operator: Login, shop: Shop
) -> None:
    order = make.delivered(orders.order(shop.coins))
    key = make.keys(order)[0]
    plain = reveal(key_id=key.pk, member=order.member).reveal()
    assert plain not in page(visitor, here(order))
    before = world()
    silent = visitor.post(f"{here(order)}reveal/", {"key": key.pk, "reason": " "})
    assert (silent.status_code, plain in silent.content.decode()) == (400, False)
    assert world() == before
    told = visitor.post(f"{here(order)}reveal/", {"key": key.pk, "reason": "buyer asks"})
    assert plain in told.content.decode()
    assert "no-store" in told["Cache-Control"]
    look = KeyAccess.objects.latest("id")
    assert (look.login, look.role, look.reason) == (operator, "operator", "buyer asks")
    again = page(visitor, here(order))
    assert plain not in again
    assert "buyer asks" in again  # among what happened


def test_a_key_of_another_order_is_none_here(visitor: Client, shop: Shop) -> None:
    one, two = (make.delivered(orders.order(shop.coins)) for _ in range(2))
    foreign = make.keys(two)[0].pk
    before = world()
    for text in (str(foreign), "0", "-1", "x", "", "9" * 30):
        answer = visitor.post(f"{here(one)}reveal/", {"key": text, "reason": "why"})
        assert answer.status_code == 404
    assert world() == before


def test_an_unknown_number_is_not_found(visitor: Client, shop: Shop) -> None:
    for number in ("LK2026031523456789A", "x", "LK"):
        assert visitor.get(f"/orders/{number}/").status_code == 404
        for deed in ("cancel", "refund", "reveal", "lines/1/deliver", "lines/1/secrets"):
            assert visitor.post(f"/orders/{number}/{deed}/").status_code == 404


def test_what_a_buyer_writes_is_shown_as_text(visitor: Client, by_hand: Order) -> None:
    script = "<script>alert(1)</script>"
    with clock.stopped_at(clock.now() + dt.timedelta(hours=2)):
        set_delivery_policy(by=None, automatic_max_fen=0)
        reject_delivery(
            line_id=make.line_id(by_hand), member=by_hand.member, reason="too_late", note=script
        )
    for path in (here(by_hand), "/work/"):
        shown = page(visitor, path)
        assert script not in shown
        assert "&lt;script&gt;" in shown


# What may be done ---------------------------------------------------------------------------------


def test_an_unpaid_order_is_cancelled_and_a_paid_one_is_not(
    visitor: Client, operator: Login, shop: Shop
) -> None:
    order = orders.order(shop.coins)
    visitor.post(f"{here(order)}cancel/")
    order.refresh_from_db()
    assert (order.state, order.cancel_reason) == ("cancelled", "staff")
    shown = page(visitor, here(order))
    assert re.search(rf"Cancelled by the shop</b> <span class=\"dim\">{operator.name}", shown)
    paid = make.delivered(orders.order(shop.coins))
    before = world()
    told = visitor.post(f"{here(paid)}cancel/", follow=True).content.decode()
    assert "already somewhere else" in told
    assert world() == before


def test_a_part_is_given_back_once_however_often_the_form_is_sent(
    visitor: Client, operator: Login, shop: Shop
) -> None:
    order = make.delivered(orders.order(shop.coins))
    form = {"once": once(visitor, order), "do": "part", "amount": "2.50", "reason": "sorry"}
    told = visitor.post(f"{here(order)}refund/", form, follow=True).content.decode()
    assert "¥2.50 goes back." in told
    again = visitor.post(f"{here(order)}refund/", form, follow=True).content.decode()
    assert "counts once" in again
    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (order.refunded_fen, order.state) == (250, "delivered")
    assert (refund.amount_fen, refund.state, refund.by, refund.why) == (
        250,
        "done",
        operator,
        "sorry",
    )
    assert make.wallet(order.member) == 250
    assert make.broken() == {}


def test_all_of_it_is_taken_back_with_the_goods(visitor: Client, shop: Shop) -> None:
    order = make.delivered(orders.order(shop.coins))
    form = {"once": once(visitor, order), "do": "all", "reason": "gone wrong"}
    visitor.post(f"{here(order)}refund/", form)
    order.refresh_from_db()
    assert (order.state, make.wallet(order.member), make.escrow(order)) == ("refunded", 1000, 0)
    assert make.keys(order)[0].returned_at is not None
    assert 'name="once"' not in page(visitor, here(order))  # nothing is left to give
    assert make.broken() == {}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"amount": "0"}, "Type an amount"),
        ({"amount": "-1"}, "Type an amount"),
        ({"amount": "1.234"}, "Type an amount"),
        ({"amount": "x"}, "Type an amount"),
        ({"amount": "10.01"}, "No more can be given back"),
        ({"reason": " "}, "Say why."),
        ({"once": ""}, "counts once"),
    ],
)
def test_a_refund_that_makes_no_sense_moves_nothing(
    changed: dict[str, str], says: str, visitor: Client, shop: Shop
) -> None:
    order = make.delivered(orders.order(shop.coins))
    form = {"once": once(visitor, order), "do": "part", "amount": "1", "reason": "why", **changed}
    before = world()
    told = visitor.post(f"{here(order)}refund/", form, follow=True).content.decode()
    assert says in told
    assert world() == before


def test_work_by_hand_is_told_step_by_step_and_delivered_once(
    visitor: Client, operator: Login, by_hand: Order
) -> None:
    deliver = f"{here(by_hand)}lines/1/deliver/"
    shown = page(visitor, here(by_hand))
    assert "100200300" in shown
    assert "hunter2" not in shown
    for _ in range(2):
        visitor.post(deliver, {"do": "step", "note": "正在排队"})
    visitor.post(deliver, {"note": "充好了", "proof": "单号 88"})
    delivery = make.deliveries(by_hand)[0]
    assert delivery.state == "delivered"
    assert [(s.text, s.proof, s.by) for s in delivery.steps.order_by("id")] == [
        ("正在排队", "", operator),
        ("充好了", "单号 88", operator),
    ]
    before = world()
    told = visitor.post(deliver, {"note": "again"}, follow=True).content.decode()
    assert "does not wait for anybody" in told
    assert visitor.post(f"{here(by_hand)}lines/9/deliver/", {"note": "x"}).status_code == 404
    assert world() == before


def test_secret_answers_are_shown_once_asked_for_and_that_is_written_down(
    visitor: Client, operator: Login, by_hand: Order
) -> None:
    told = visitor.post(f"{here(by_hand)}lines/1/secrets/")
    assert "hunter2-CANARY" in told.content.decode()
    assert "no-store" in told["Cache-Control"]
    act = StaffAct.objects.get(verb="order.secrets")
    assert (act.by, act.about, act.detail) == (operator, by_hand.reference, {"line": 1})
    assert "hunter2" not in page(visitor, here(by_hand))


def test_an_agent_serves_an_order_but_moves_no_money(
    answering: Client, agent: Login, by_hand: Order, shop: Shop
) -> None:
    key_order = make.delivered(orders.order(shop.coins))
    shown = page(answering, here(key_order))
    assert "Give money back" not in shown
    key = make.keys(key_order)[0].pk
    seen = answering.post(f"{here(key_order)}reveal/", {"key": key, "reason": "asked"})
    assert seen.status_code == 200
    assert KeyAccess.objects.get().role == "agent"
    answering.post(f"{here(by_hand)}lines/1/deliver/", {"note": "done"})
    assert make.deliveries(by_hand)[0].state == "delivered"
    before = world()
    for path in (
        f"{here(key_order)}refund/",
        "/work/discrepancy/",
        "/work/refund/",
        "/work/rejection/",
    ):
        assert answering.post(path, {"do": "grant"}).status_code == 403
    assert world() == before


# What needs a person ------------------------------------------------------------------------------


def odd(order: Order, amount_fen: int = 900) -> Discrepancy:
    """A payment of another amount than asked for."""
    trade = Trade(
        "paid", order.reference, trade_no=f"T{order.pk}", amount_fen=amount_fen, currency="CNY"
    )
    return note_discrepancy("wrong_amount", "sandbox", trade, None)


def rejected(order: Order, **more: Any) -> Rejection:
    """A rejection that a person decides about."""
    set_delivery_policy(by=None, automatic_max_fen=0)
    return reject_delivery(
        line_id=make.line_id(order), member=order.member, reason="does_not_work", **more
    )


def failed_refund(order: Order) -> Refund:
    """A refund by a gateway that will not take it."""
    payment = Payment.objects.create(
        reference=f"P{order.pk}", order=order, gateway="sandbox", amount_fen=order.payable_fen,
        currency="CNY", started_at=clock.now(), expires_at=order.expires_at, due_at=clock.now(),
    )  # fmt: skip
    trade = Trade(
        "paid", payment.reference, trade_no=f"S{order.pk}", amount_fen=payment.amount_fen,
        currency="CNY", seller=SELLER, app_id=APP_ID,
    )  # fmt: skip
    assert confirm_payment(payment_id=payment.pk, trade=trade) == "paid"
    refund = refund_order(order=order, amount_fen=400, why="sorry", by=None)
    Refund.objects.filter(pk=refund.pk).update(state="failed", due_at=None, problem="card closed")
    return refund


def test_work_is_listed_and_counted(visitor: Client, shop: Shop, by_hand: Order) -> None:
    assert "Somebody waits for 1 thing" in page(visitor, "/work/")
    rejection = rejected(make.delivered(orders.order(shop.coins)), note="报错 E01")
    strange = odd(by_hand)
    shop.coins.low_stock_at = 9
    shop.coins.save(update_fields=["low_stock_at"])
    shown = page(visitor, "/work/")
    assert "Somebody waits for 3 things" in shown
    for said in ("直充 648", "due in 60 minutes", "报错 E01", strange.trade_no, "Running out"):
        assert said in shown
    assert rejection.reference in shown
    assert re.search(r"To do<b>3</b>", page(visitor, "/orders/"))
    with clock.stopped_at(clock.now() + dt.timedelta(hours=3)):
        assert "2 hours late" in page(visitor, "/work/")


def test_agents_see_the_work_and_not_the_money(answering: Client, by_hand: Order) -> None:
    strange = odd(by_hand)
    shown = page(answering, "/work/")
    assert "直充 648" in shown
    assert strange.trade_no not in shown
    assert "Somebody waits for 1 thing" in shown


def test_the_badge_costs_one_statement(
    visitor: Client, by_hand: Order, django_assert_num_queries: Any
) -> None:
    from liuke.interfaces.console.work_items import how_many

    with django_assert_num_queries(1):
        assert how_many(for_operators=True) == 1


def test_money_that_does_not_fit_is_settled_once(
    visitor: Client, operator: Login, by_hand: Order
) -> None:
    one = odd(by_hand)
    given = {"discrepancy": one.pk, "do": "note"}
    before = world()
    assert (
        "Say what was done"
        in visitor.post("/work/discrepancy/", given, follow=True).content.decode()
    )
    assert visitor.post("/work/discrepancy/", {"discrepancy": "x"}).status_code == 404
    assert world() == before
    visitor.post("/work/discrepancy/", {**given, "note": "called the buyer"})
    one.refresh_from_db()
    assert (one.settled_by, one.note, one.by) == ("note", "called the buyer", operator)
    again = visitor.post("/work/discrepancy/", {**given, "do": "refund"}, follow=True)
    assert "settled this already" in again.content.decode()
    assert Refund.objects.count() == 0


def test_a_refund_that_failed_goes_to_the_balance_or_is_sent_again(
    visitor: Client, shop: Shop
) -> None:
    first, second = (failed_refund(orders.order(shop.coins)) for _ in range(2))
    assert page(visitor, "/work/").count("card closed") == 2
    visitor.post("/work/refund/", {"refund": first.reference, "do": "wallet"})
    first.refresh_from_db()
    assert (first.state, first.to_wallet) == ("done", True)
    assert first.order is not None
    assert make.wallet(first.order.member) == 400
    visitor.post("/work/refund/", {"refund": second.reference, "do": "retry"})
    second.refresh_from_db()
    assert (second.state, second.tries) == ("pending", 0)
    again = visitor.post("/work/refund/", {"refund": first.reference, "do": "wallet"}, follow=True)
    assert "already somewhere else" in again.content.decode()
    assert make.wallet(first.order.member) == 400
    assert visitor.post("/work/refund/", {"refund": "nothing"}).status_code == 404


@pytest.mark.parametrize(
    ("do", "state", "back"), [("grant", "granted", 1000), ("refuse", "refused", 0)]
)
def test_a_rejection_is_decided_for_or_against_the_buyer(
    do: str, state: str, back: int, visitor: Client, operator: Login, shop: Shop
) -> None:
    order = make.delivered(orders.order(shop.coins))
    one = rejected(order)
    given = {"rejection": one.reference, "do": do, "back": "order"}
    if do == "refuse":
        before = world()
        silent = visitor.post("/work/rejection/", given, follow=True).content.decode()
        assert "Tell the member why." in silent
        assert world() == before
    answer = visitor.post("/work/rejection/", {**given, "answer": "我们查过了"})
    assert answer["Location"] == here(order)
    one.refresh_from_db()
    assert (one.state, one.answer, one.by) == (state, "我们查过了", operator)
    assert make.wallet(order.member) == back
    again = visitor.post("/work/rejection/", {**given, "answer": "x"}, follow=True)
    assert "decided already" in again.content.decode()
    assert "我们查过了" in page(visitor, here(order))
    assert make.broken() == {}
