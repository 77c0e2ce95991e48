"""From looking to paid: as a member, as a guest, and when something has changed meanwhile."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.interfaces.shop.make import browser, buy, last_order, sheet, text
from tests.orders.make import Shop

pytestmark = pytest.mark.django_db


def test_every_page_answers(shop: Shop, li: Client) -> None:
    nobody = browser()
    ref = shop.product.reference
    for client in (nobody, li):
        for path in (
            "/shop/",
            "/shop/?scene=games",
            "/shop/?q=coins",
            "/shop/?q=zzz",
            f"/shop/p/{ref}/",
            f"/shop/p/{ref}/buy/",
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
    for path in ("/shop/orders/", "/shop/keys/", "/shop/wallet/", "/shop/followed/"):
        assert li.get(path).status_code == 200, path
        assert nobody.get(path).status_code == 302, path
    form = sheet(li, shop.coins)
    print(form)
    answer = buy(li, shop.coins, way="wallet")
    print(answer.status_code, answer.get("Location"), text(answer))
    order = last_order()
    page = li.get(f"/shop/orders/{order.reference}/")
    print(order.state, text(page))
    print(text(li.get("/shop/")))
    shown = li.post(f"/shop/orders/{order.reference}/lines/1/keys/1/show/")
    print(text(shown))
    for path in (
        "/shop/orders/",
        "/shop/keys/",
        "/shop/wallet/",
        f"/shop/orders/{order.reference}/lines/1/reject/",
        f"/shop/orders/{order.reference}/lines/1/keys/1/history/",
    ):
        answer = li.get(path)
        assert answer.status_code == 200
        print(path, text(answer))
    answer = buy(nobody, shop.coins, way="sandbox")
    print(answer.status_code, answer.get("Location"), text(answer))
    print(text(nobody.get(answer["Location"])))
