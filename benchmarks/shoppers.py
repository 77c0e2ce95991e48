"""Members who buy through HTTP as a browser does: session, form token, a coupon for each order, wallet or gateway."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.site import sign_in
from benchmarks.visitors import Visitor, fields

PRICE_FEN, OFF_FEN = 1000, 100
_keys = itertools.count(1)
_PAY = re.compile(rb"http://127\.0\.0\.1:(\d+)(/pay/[\w-]+/)")


@dataclass
class Goods:
    """What is sold: card keys of one variant, as many as were imported."""

    address: str
    variant: str
    keys: list[str]
    coupon_kind: str


@dataclass
class Shopper:
    """A member with a browser. `coupons` are those they have left."""

    member: Any
    visitor: Visitor
    goods: Goods
    coupons: list[str]
    token: str = ""

    def open(self) -> None:
        """Open the sheet, once: its token is good for the whole session."""
        sheet = self.visitor.get(f"{self.goods.address}?v={self.goods.variant}")
        assert sheet.status == 200, sheet.status
        self.token = fields(sheet.body)["csrfmiddlewaretoken"]

    def buy(self, way: str) -> str:
        """Press the button; the order's number. Each order has a key of its own.

        Raises AssertionError when the site says no, OSError when it says nothing.
        """
        return self.send(self.form(way))

    def form(self, way: str) -> dict[str, str]:
        """What the button sends, with the next coupon."""
        coupon = self.coupons.pop() if self.coupons else ""
        return {
            "csrfmiddlewaretoken": self.token,
            "v": self.goods.variant,
            "n": "1",
            "coupon": coupon,
            "way": way,
            "key": f"bench-{next(_keys):012}",
            "expected": str(PRICE_FEN - OFF_FEN if coupon else PRICE_FEN),
            "do": "pay",
        }

    def send(self, form: dict[str, str]) -> str:
        """Send a form, perhaps once more; the order's number."""
        answer = self.visitor.post(self.goods.address, form)
        assert answer.status == 302, (answer.status, answer.body[:200])
        return answer.header("location").split("/")[3]

    def pay(self, number: str) -> None:
        """Go on to the gateway, and press its button."""
        page = self.visitor.get(f"/shop/orders/{number}/pay/")
        found = _PAY.search(page.body)
        assert found is not None, page.status
        gateway = Visitor(int(found[1]))
        answer = gateway.post(found[2].decode(), {})
        gateway.close()
        assert answer.status == 303, answer.status

    def show_key(self, number: str) -> str:
        """The page on which the key of an order is shown."""
        form = {"csrfmiddlewaretoken": self.token}
        page = self.visitor.post(f"/shop/orders/{number}/lines/1/keys/1/show/", form)
        assert page.status == 200, page.status
        return page.body.decode()


def stock(keys: int) -> Goods:
    """A product with so many card keys, and a coupon that takes a yuan off."""
    from liuke.membership.actions import make_coupon_kind
    from tests.orders import make

    seller = make.merchant()
    variant = make.product(seller, price_fen=PRICE_FEN, stock=0)
    kind = make_coupon_kind(
        name="One off", budget_fen=keys * OFF_FEN, valid_days=7, by=None, off_fen=OFF_FEN,
        per_person_max=1_000,
    )  # fmt: skip
    texts = make.keys(variant, keys)
    address = f"/shop/p/{variant.product.reference}/buy/"
    return Goods(address, variant.reference, texts, kind.reference)


def shoppers(goods: Goods, port: int, count: int, coupons: int) -> list[Shopper]:
    """So many members who signed in, with money in their wallets and so many coupons each."""
    from liuke.membership.actions import grant_coupon
    from tests.delivery.make import fill_wallet
    from tests.orders import make

    made = []
    for _ in range(count):
        member = make.member()
        fill_wallet(member, 10_000_000)
        given = [
            grant_coupon(kind_ref=goods.coupon_kind, person_id=member.pk).reference
            for _ in range(coupons)
        ]
        made.append(Shopper(member, Visitor(port, member=sign_in(member)), goods, given))
    return made


def backlog() -> dict[str, int]:
    """What is not done yet: paid orders without their goods, and facts whose reactions wait."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM orders_order WHERE state = 'paid'),"
            " (SELECT count(*) FROM events_pending)"
        )
        undelivered, waiting = cursor.fetchone()
    return {"paid_undelivered": undelivered, "events_pending": waiting}


def seconds_until_done(most: float, left: Callable[[], dict[str, int]] = backlog) -> float | None:
    """How long until nothing is left to do; None when there is something after so many seconds."""
    began = time.perf_counter()
    while any(left().values()):
        if time.perf_counter() - began > most:
            return None
        time.sleep(0.05)
    return round(time.perf_counter() - began, 2)


def broken_promises() -> dict[str, int]:
    """What `liuke audit` says, by name."""
    from liuke.interfaces.cli.audit import check_everything

    found = check_everything()
    return {each.invariant.name: each.violations for each in found if each.violations}


def keys_twice() -> int:
    """How many card keys are in more than one order's hands."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) - count(DISTINCT key_id) FROM delivery_delivered_key")
        return int(cursor.fetchone()[0])
