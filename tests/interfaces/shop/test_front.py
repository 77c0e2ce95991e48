"""What stands at the root of the site: the shop, once there is something in it; the console for staff who are in."""

from __future__ import annotations

import pytest
from django.test import Client

from liuke.catalog.actions import hide_product
from liuke.people.actions import open_login, set_totp_required
from tests.interfaces.storefront.make import browser
from tests.orders.make import Shop

pytestmark = pytest.mark.django_db


def at_root(client: Client) -> tuple[int, str]:
    answer = client.get("/")
    return answer.status_code, answer.headers.get("Location", "")


def test_a_visitor_meets_the_shop_and_staff_their_console(shop: Shop) -> None:
    assert at_root(browser()) == (302, "/shop/")
    set_totp_required(is_required=False, by=None)
    staff = browser()
    login = open_login(name="站长", password="correct horse battery", by=None)
    staff.force_login(login, backend="django.contrib.auth.backends.ModelBackend")
    assert at_root(staff) == (200, "")
    hide_product(product=shop.coins.product, by=None)
    assert at_root(browser()) == (302, "/login/?next=/"), "nothing is on offer"
