"""The protocol of the sandbox from both ends, and from a third one that knows only its description."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from liuke.base.outside import Accepted, Rejected, Unknown
from liuke.interfaces.sandbox.signing import open_keys
from liuke.payments.errors import GatewayAway
from liuke.payments.gateways import outbound, signatures
from liuke.payments.models import Payment, Refund
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.conftest import Time
from tests.payments.make import Play

SCHEME = (padding.PKCS1v15(), hashes.SHA256())


@pytest.fixture
def payment(gate: Play, shop: Shop) -> Payment:
    return make.started(orders.order(shop.coins))


def test_our_signature_is_the_one_that_cryptography_makes() -> None:
    key = rsa.generate_private_key(65537, 2048)
    ours = signatures.sign(key, b"text")
    assert base64.b64decode(ours) == key.sign(b"text", *SCHEME)
    assert signatures.is_signed(key.public_key(), b"text", ours)
    for other in (b"", b"text\n", b"Text"):
        assert not signatures.is_signed(key.public_key(), other, ours)
    for broken in ("", ours[:-4], ours + "\n", ours.replace("=", ""), ours[4:] + ours[:4], "é"):
        assert not signatures.is_signed(key.public_key(), b"text", broken)
    sha1 = base64.b64encode(key.sign(b"text", padding.PKCS1v15(), hashes.SHA512())).decode()
    assert not signatures.is_signed(key.public_key(), b"text", sha1)


def test_a_key_that_is_not_rsa_is_no_key() -> None:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    other = Ed25519PrivateKey.generate()
    private = other.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    public = other.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="RSA"):
        signatures.read_private(private)
    with pytest.raises(ValueError, match="RSA"):
        signatures.read_public(public)


def test_the_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first, again = open_keys(tmp_path / "sandbox"), open_keys(tmp_path / "sandbox")
    assert first.serial == again.serial
    assert stat.S_IMODE((tmp_path / "sandbox").stat().st_mode) == 0o700
    files = sorted((tmp_path / "sandbox").iterdir())
    assert [file.name for file in files] == ["gateway.key", "gateway.pub", "site.key", "site.pub"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_request_carries_a_signature_over_all_that_matters(
    gate: Play, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def call(**told: Any) -> outbound.Answer:
        asked.update(told)
        return gate.call(**told)

    monkeypatch.setattr(outbound, "call", call)
    assert gate.adapter.query(payment).state == "waiting"
    headers = asked["headers"]
    text = "GET\n/v1/trades/{}\n{}\n{}\n\n".format(
        payment.reference, headers["X-Sandbox-Timestamp"], headers["X-Sandbox-Nonce"]
    )
    public = signatures.read_public((gate.adapter.folder / "site.pub").read_bytes())
    public.verify(base64.b64decode(headers["X-Sandbox-Signature"]), text.encode(), *SCHEME)
    assert headers["X-Sandbox-Serial"] == signatures.serial_of(public)


@pytest.mark.parametrize("header", ["Serial", "Timestamp", "Nonce", "Signature"])
def test_the_gateway_answers_nobody_but_the_site(
    gate: Play, payment: Payment, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    def call(**told: Any) -> outbound.Answer:
        told["headers"] = {**told["headers"], f"X-Sandbox-{header}": "1" * 16}
        return gate.call(**told)

    monkeypatch.setattr(outbound, "call", call)
    with pytest.raises(GatewayAway):
        gate.adapter.query(payment)


def test_a_request_that_is_replayed_is_refused(gate: Play, payment: Payment) -> None:
    told: list[dict[str, Any]] = []
    call = gate.call
    gate.call = lambda **asked: (told.append(asked), call(**asked))[1]  # type: ignore[method-assign]
    outbound.call = gate.call
    gate.adapter.query(payment)
    assert call(**told[0]).status == 401


def test_an_answer_that_somebody_changed_is_no_answer(
    gate: Play, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(**told: Any) -> outbound.Answer:
        true = gate.call(**told)
        body = true.body.replace(b'"waiting"', b'"paid"')
        return outbound.Answer(true.status, true.headers, body)

    monkeypatch.setattr(outbound, "call", call)
    with pytest.raises(GatewayAway):
        gate.adapter.query(payment)


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"{}"), (200, b"[]"), (200, b"no"), (200, b'{"state": "gone"}')]
)
def test_an_answer_that_makes_no_sense_is_none_although_signed(
    gate: Play, payment: Payment, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    signed = gate.server.api._signature(body)
    headers = {name.lower(): value for name, value in signed.items()}
    answer = outbound.Answer(status, headers, body)
    monkeypatch.setattr(outbound, "call", lambda **_told: answer)
    for ask in (gate.adapter.query, gate.adapter.create, gate.adapter.close):
        with pytest.raises(GatewayAway):
            ask(payment)


def test_a_payment_page_elsewhere_is_not_believed(
    gate: Play, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({**gate.trade(payment).told(), "pay_url": "https://evil.example/"}).encode()
    headers = {n.lower(): v for n, v in gate.server.api._signature(body).items()}
    monkeypatch.setattr(outbound, "call", lambda **_told: outbound.Answer(200, headers, body))
    with pytest.raises(GatewayAway):
        gate.adapter.create(payment)


def test_a_trade_begun_twice_is_one_and_with_another_amount_none(
    gate: Play, payment: Payment
) -> None:
    assert gate.adapter.create(payment).pay_url == payment.pay_url
    payment.amount_fen += 1
    with pytest.raises(GatewayAway):
        gate.adapter.create(payment)


def test_the_gateway_tells_this_machine_only(gate: Play, shop: Shop, settings: Any) -> None:
    settings.LIUKE_SITE_URL = "https://shop.example.com"
    with pytest.raises(GatewayAway):
        make.started(orders.order(shop.coins))


def test_closing_says_whether_it_was_paid_meanwhile(gate: Play, payment: Payment) -> None:
    gate.fault(payment, drop=True)
    gate.click(payment)
    assert gate.adapter.close(payment) is False
    assert gate.adapter.query(payment).state == "paid"


def test_closing_what_the_gateway_never_heard_of_is_fine(gate: Play, payment: Payment) -> None:
    payment.reference = "NOTTHERE"
    assert gate.adapter.close(payment) is True
    assert gate.adapter.query(payment).state == "unknown"


def test_a_refund_under_one_number_is_one_and_never_more_than_was_paid(
    gate: Play, payment: Payment
) -> None:
    gate.click(payment)
    number = gate.trade(payment).trade_no
    refund = Refund(reference="R1", trade_no=number, amount_fen=600)
    first = gate.adapter.refund(refund)
    assert isinstance(first, Accepted)
    assert gate.adapter.refund(refund) == first
    too_much = gate.adapter.refund(Refund(reference="R2", trade_no=number, amount_fen=401))
    assert too_much == Rejected("more than was paid")
    other = gate.adapter.refund(Refund(reference="R1", trade_no=number, amount_fen=1))
    assert isinstance(other, Unknown)
    assert gate.trade(payment).refunded() == 600


def test_a_trade_that_is_over_takes_no_money(gate: Play, payment: Payment, time: Time) -> None:
    time.now = payment.expires_at
    assert gate.server.api.pay(gate.trade(payment)) is False
    assert gate.adapter.query(payment).state == "closed"


def test_what_the_gateway_knows_survives_its_end_and_notices_not_heard_go_again(
    gate: Play, payment: Payment
) -> None:
    gate.click(payment)  # and the process ends before the site was told
    with (gate.adapter.folder / "trades.jsonl").open("a") as file:
        file.write('{"reference": "cut of')
    again = make.restarted(gate)
    assert again.trade(payment).state == "paid"
    assert again.tell() == 1
    payment.refresh_from_db()
    assert payment.state == "paid"
    assert make.restarted(again).tell() == 0


def test_the_site_calls_only_below_the_gateways_address() -> None:
    for base, path in (
        ("http://127.0.0.1:8010", "@evil.example/"),
        ("http://127.0.0.1:8010", ".evil.example/"),
        ("http://127.0.0.1:8010", "1/"),
    ):
        with pytest.raises(GatewayAway):
            outbound.call(method="GET", base=base, path=path, headers={})


def test_nobody_there_is_said_so() -> None:
    with pytest.raises(GatewayAway):
        outbound.call(method="GET", base="http://127.0.0.1:1", path="/", headers={})
