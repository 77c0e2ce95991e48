"""A shop as a visitor meets it, and the hands they shop with: every tap is counted."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

from django.db import connection, connections
from playwright.sync_api import Locator, Page, Route

from liuke.catalog.models import Variant
from liuke.merchants.models import Merchant
from liuke.payments.models import Payment
from tests.catalog import make as catalog
from tests.merchants import make as merchants
from tests.payments.make import BASE, Play

START_SECONDS = 30.0
PHONE_FORM = [{"key": "phone", "label": "充值号码", "kind": "phone", "is_required": True}]
MADE_BY = {"source_kind": "authorised", "source_text": "与发行商签约的一级代理，每批可查进货单"}


@dataclass(frozen=True)
class Site:
    """One merchant; `coins` are card keys, `credit` is topped up by hand, of `gone` nothing is left."""

    merchant: Merchant
    coins: Variant
    credit: Variant
    gone: Variant

    def page(self, variant: Variant) -> str:
        return f"/shop/p/{variant.product.reference}/"

    def sheet(self, variant: Variant) -> str:
        return f"{self.page(variant)}buy/?v={variant.reference}"


def stock_up() -> Site:
    """A merchant's shelves."""
    seller = merchants.merchant()

    def offer(title: str, scene: str, name: str, price: int, **about: Any) -> Variant:
        made = {key: about.pop(key) for key in ("keys", "stock_count", "more") if key in about}
        product = catalog.product(seller, title=title, scene=scene, **about)
        more = made.pop("more", {})
        variant = catalog.variant(product, name, price=price, **made, **more)
        catalog.actions.list_product(product=product, by=None)
        return Variant.objects.select_related("product").get(pk=variant.pk)

    coins = offer(
        "原神 创世结晶", "games", "60 结晶", 600, keys=40, subject="原神", subtitle="国服，兑换码自助兑换",
        coverage_text="国服 天空岛、世界树", body="在游戏内「设置 → 账户 → 兑换码」输入即可到账。",
        more={"quantity_prices": [[5, 580]], "list_price_fen": 680}, **MADE_BY,
    )  # fmt: skip
    catalog.variant(coins.product, "300 结晶", price=3_000, keys=20)
    catalog.variant(coins.product, "648 结晶", price=6_480)
    credit = offer(
        "话费充值", "phone", "100 元", 9_850, kind="top_up", stock_count=50, subtitle="三网通用，官方渠道直充",
        order_form=PHONE_FORM, arrival_minutes=30, source_kind="official",
    )  # fmt: skip
    offer(
        "Steam 充值卡", "games", "50 元", 4_800, keys=12, subtitle="国区钱包，即买即发", **MADE_BY
    )
    offer(
        "爱奇艺 黄金会员", "films", "月卡", 1_990, keys=20, subtitle="直充到账，支持续费", **MADE_BY
    )
    gone = offer("腾讯视频 VIP", "films", "季卡", 5_800, subtitle="激活码")
    return Site(seller, coins, credit, gone)


@dataclass
class Hand:
    """Somebody's hand on a page."""

    page: Page
    taps: int = 0
    said: list[str] = field(default_factory=list)

    def tap(self, what: Locator) -> None:
        what.click()
        self.taps += 1


def pay_desk(gate: Play, base: str) -> Any:
    """The gateway's page, with a button that pays and leads back; the notice is late."""

    def answer(route: Route) -> None:
        try:
            fulfil(route)
        finally:
            connections.close_all()  # a route is answered in a context, so on a connection, of its own

    def fulfil(route: Route) -> None:
        payment = Payment.objects.latest("id")
        if "press" in route.request.url:
            gate.click(payment)
            back = f"{base}/pay/back/{payment.reference}/"
            route.fulfill(status=303, headers={"Location": back})
            return
        form = f'<a href="{payment.pay_url}?press=1">付款</a>'
        route.fulfill(status=200, headers={"Content-Type": "text/html;charset=utf-8"}, body=form)

    return lambda page: page.context.route(f"{BASE}/**", answer)


@contextmanager
def served() -> Iterator[str]:
    """The real web process, on the database of the test: pages and streams on one port."""
    given = connection.settings_dict
    host, port = given["HOST"].replace("/", "%2F"), given["PORT"]
    place = f"{host}:{port}" if port else host
    login = given["USER"] + (f":{given['PASSWORD']}" if given["PASSWORD"] else "")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    env = {
        **os.environ,
        "LIUKE_DATABASE_URL": f"postgresql://{login}@{place}/{given['NAME']}",
        "DJANGO_SETTINGS_MODULE": "liuke.project.settings",
    }
    command = [sys.executable, "-m", "liuke.project.processes", "web", "127.0.0.1", str(number)]
    with subprocess.Popen(command, env=env) as web:
        try:
            base = f"http://127.0.0.1:{number}"
            _wait_for(f"{base}/shop/")
            yield base
        finally:
            web.terminate()


def _wait_for(address: str) -> None:
    last = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(address, timeout=5):
                return
        except OSError:
            if time.monotonic() > last:
                raise
            time.sleep(0.1)
