"""Who is believed, and how often."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import IntegrityError, connection, transaction
from django.test import Client

from benchmarks.notices import mutations
from liuke.payments.actions import receive_notice
from liuke.payments.errors import BadNotice, UnknownGateway
from liuke.payments.models import GatewayNotice, Payment
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.conftest import Time
from tests.payments.make import Play

pytestmark = pytest.mark.django_db

MUTATIONS = 600  # ten thousand in `liuke bench notices`


@pytest.fixture
def payment(gate: Play, shop: Shop) -> Payment:
    """Begun, and paid at the gateway; the site does not know."""
    begun = make.started(orders.order(shop.coins))
    gate.trade(begun).state = "paid"
    return begun


def is_paid(payment: Payment) -> bool:
    payment.refresh_from_db()
    return payment.state == "paid"


def test_a_notice_signed_by_the_gateways_key_alone_is_believed(
    gate: Play, payment: Payment
) -> None:
    headers, body = gate.signed(gate.notice(payment))
    assert make.post_notice("", headers, body) == 200
    kept = GatewayNotice.objects.get()
    assert bytes(kept.raw) == body
    assert kept.headers["x-sandbox-signature"] == headers["X-Sandbox-Signature"]
    assert (kept.became, kept.payment_id) == ("paid", payment.pk)
    assert is_paid(payment)


def test_told_a_hundred_times_it_is_one_credit(gate: Play, payment: Payment) -> None:
    signed = gate.signed(gate.notice(payment))
    assert {make.post_notice("", *signed) for _ in range(100)} == {200}
    assert (make.clearing(), GatewayNotice.objects.count()) == (1000, 1)
    assert make.broken() == {}


def test_told_under_many_numbers_it_is_one_credit(gate: Play, payment: Payment) -> None:
    for _ in range(20):
        assert make.post_notice("", *gate.signed(gate.notice(payment))) == 200
    assert make.clearing() == 1000
    kept = list(GatewayNotice.objects.order_by("pk").values_list("became", flat=True))
    assert kept == ["paid"] + ["known"] * 19


def test_every_altered_notice_is_refused_without_a_row(gate: Play, payment: Payment) -> None:
    headers, body = gate.signed(gate.notice(payment))
    before = make.rows()
    for how, altered, content in mutations(headers, body, seed=20260315, count=MUTATIONS):
        status = make.post_notice("", altered, content)
        assert status in (401, 413), (how, status, altered, content[:300])
    assert make.rows() == before
    assert not is_paid(payment)
    assert make.post_notice("", headers, body) == 200, "the true one still counts"
    assert is_paid(payment)


@pytest.mark.parametrize(
    "changed",
    [
        {"key": rsa.generate_private_key(65537, 2048)},
        {"serial": "0" * 16},
        {"serial": ""},
        {"age_seconds": 300},
        {"age_seconds": -300},
        {"age_seconds": 36_000},
    ],
    ids=["strange key", "strange serial", "no serial", "old", "from the future", "ten hours old"],
)
def test_a_strange_key_and_a_wrong_moment_are_refused(
    gate: Play, payment: Payment, changed: dict[str, Any]
) -> None:
    told = gate.notice(payment)
    if changed.get("serial") == "":
        headers, body = gate.signed(told)
        headers["X-Sandbox-Serial"] = ""
    else:
        headers, body = gate.signed(told, **changed)
    before = make.rows()
    assert make.post_notice("", headers, body) == 401
    assert make.rows() == before
    assert not is_paid(payment)


def test_a_moment_within_five_minutes_is_good(gate: Play, payment: Payment) -> None:
    assert make.post_notice("", *gate.signed(gate.notice(payment), age_seconds=299)) == 200


def test_a_replay_changes_nothing_now_and_is_refused_later(
    gate: Play, payment: Payment, time: Time
) -> None:
    signed = gate.signed(gate.notice(payment))
    make.post_notice("", *signed)
    before = make.rows()
    assert make.post_notice("", *signed) == 200
    time.passes(minutes=5)
    assert make.post_notice("", *signed) == 401
    assert make.rows() == before


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"[]",
        b'{"id": "N1"}',
        b'{"id": 5, "trade": {}}',
        b'{"id": "", "trade": {}}',
        b'{"id": "N1", "trade": []}',
        b'{"id": "N1", "trade": {"state": "paid"}}',
        b"\xff\xfe",
        b"{" * 5000,
    ],
)
def test_what_the_gateway_signs_and_nobody_can_read_is_refused(
    gate: Play, payment: Payment, told: bytes
) -> None:
    before = make.rows()
    assert make.post_notice("", *gate.signed(told)) == 401
    assert make.rows() == before


@pytest.mark.parametrize("amount", [0, -1, True, 1.5, "1000", None, 2**53, [1000]])
def test_an_amount_that_is_none_is_refused_although_signed(
    gate: Play, payment: Payment, amount: object
) -> None:
    before = make.rows()
    assert make.post_notice("", *gate.signed(gate.notice(payment, amount=amount))) == 401
    assert make.rows() == before
    assert not is_paid(payment)


def test_a_name_told_twice_is_refused_although_signed(gate: Play, payment: Payment) -> None:
    body = json.dumps(gate.notice(payment)).replace('"amount"', '"amount": 1, "amount"', 1)
    assert make.post_notice("", *gate.signed(body.encode())) == 401
    assert not is_paid(payment)


def test_a_notice_of_something_else_is_kept_and_changes_nothing(
    gate: Play, payment: Payment
) -> None:
    assert make.post_notice("", *gate.signed(gate.notice(payment, state="waiting"))) == 200
    assert GatewayNotice.objects.get().became == "ignored"
    assert not is_paid(payment)


def test_notices_in_the_wrong_order_reach_the_right_orders(gate: Play, shop: Shop) -> None:
    first, second = (make.started(orders.order(shop.coins)) for _ in range(2))
    gate.fault(first, reorder=True)
    gate.click(first)
    gate.click(second)
    gate.tell()
    sent = [notice for notice, _ in gate.server.notifier.sent]
    assert sent == [gate.trade(second).notice_id, gate.trade(first).notice_id]
    assert is_paid(first)
    assert is_paid(second)
    assert make.clearing() == 2000


def test_the_faults_of_the_gateway_leave_one_credit(gate: Play, shop: Shop) -> None:
    payment = make.started(orders.order(shop.coins))
    gate.fault(payment, duplicate=30, fresh_ids=True, forged=True, delay=20)
    gate.click(payment)
    gate.tell()
    statuses = [status for _, status in gate.server.notifier.sent]
    assert (statuses.count(200), statuses.count(401)) == (31, 31)
    assert make.clearing() == 1000
    assert make.broken() == {}


def test_an_address_of_no_gateway_does_not_exist(gate: Play, db: None, settings: Any) -> None:
    for name in ("wallet", "alipay"):
        assert Client().post(f"/pay/notify/{name}/").status_code == 404
        with pytest.raises(UnknownGateway):
            receive_notice(gateway=name, headers={}, body=b"")
    settings.LIUKE_GATEWAYS = ("wallet",)
    assert Client().post(make.NOTIFY).status_code == 404
    assert Client().get(make.NOTIFY).status_code == 405


def test_a_body_that_is_too_large_is_not_read(gate: Play, payment: Payment) -> None:
    headers, body = gate.signed(b" " * (64 * 1024 + 1))
    assert make.post_notice("", headers, body) == 413


def test_a_site_without_keys_believes_nobody(gate: Play, payment: Payment) -> None:
    headers, body = gate.signed(gate.notice(payment))
    (gate.adapter.folder / "gateway.pub").unlink()
    with pytest.raises(BadNotice):
        receive_notice(gateway="sandbox", headers=headers, body=body)


def test_a_new_key_of_the_gateway_is_believed_at_once_and_the_old_one_no_more(
    gate: Play, payment: Payment
) -> None:
    from liuke.interfaces.sandbox.signing import open_keys

    old = gate.signed(gate.notice(payment))
    for name in ("gateway.pub", "gateway.key"):
        (gate.adapter.folder / name).unlink()
    keys = open_keys(gate.adapter.folder)
    assert make.post_notice("", *old) == 401
    new = gate.signed(gate.notice(payment), key=keys.own, serial=keys.serial)
    assert make.post_notice("", *new) == 200


def test_a_notice_is_kept_as_it_came(gate: Play, payment: Payment) -> None:
    make.post_notice("", *gate.signed(gate.notice(payment)))
    for statement in (
        "UPDATE payments_gateway_notice SET became = 'odd'",
        "UPDATE payments_gateway_notice SET raw = 'x'",
        "DELETE FROM payments_gateway_notice",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
