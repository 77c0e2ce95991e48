"""The sandbox as a server: its page to pay on, its switches, and over real sockets."""

from __future__ import annotations

import http.client
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from wsgiref.simple_server import make_server

import pytest

from liuke.interfaces.sandbox.notices import is_loopback, send
from liuke.interfaces.sandbox.server import Sandbox, _Quiet, _Server
from liuke.payments.errors import GatewayAway
from liuke.payments.gateways import outbound
from liuke.payments.gateways.sandbox import Sandbox as Adapter
from liuke.payments.models import Payment
from tests.orders import make as orders
from tests.payments import make
from tests.payments.conftest import gateway_keys, time

__all__ = ["gateway_keys", "time"]  # fixtures

NOTED = {"notify_url": "http://127.0.0.1:9/x/", "return_url": "http://127.0.0.1:8000/pay/back/"}


@pytest.fixture
def sandbox(tmp_path: Path, gateway_keys: Path) -> Sandbox:
    return make.play(tmp_path / "sandbox", gateway_keys).server


def ask(
    sandbox: Sandbox, method: str, path: str, body: bytes = b"", **more: str
) -> tuple[int, dict[str, str], str]:
    """(status, headers, page)"""
    got: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        got["status"], got["headers"] = int(status[:3]), dict(headers)

    where, _, asked = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": where,
        "QUERY_STRING": asked,
        "HTTP_HOST": "127.0.0.1:8010",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **more,
    }
    page = b"".join(sandbox(environ, start)).decode()
    return got["status"], got["headers"], page


def trade(sandbox: Sandbox, **told: Any) -> Any:
    said = {
        "reference": "P1",
        "amount": 1000,
        "currency": "CNY",
        "seller": "liuke",
        "app_id": "liuke-demo",
        "subject": "LK<1>",
        "expires_at": "2999-01-01T00:00:00+00:00",
        **NOTED,
        **told,
    }
    return sandbox.trades.begin(**said)


def test_the_page_says_what_is_paid_in_both_languages_and_needs_no_script(sandbox: Sandbox) -> None:
    page_of = trade(sandbox)
    status, headers, page = ask(sandbox, "GET", f"/pay/{page_of.token}/")
    assert status == 200
    assert "确认付款" in page
    assert "Pay now" in page
    assert "¥10.00" in page
    assert "LK&lt;1&gt;" in page
    assert "<script" not in page
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_button_pays_once_and_leads_back(sandbox: Sandbox) -> None:
    one = trade(sandbox)
    status, headers, _ = ask(sandbox, "POST", f"/pay/{one.token}/")
    assert (status, headers["Location"], one.state) == (303, NOTED["return_url"], "paid")
    status, _, page = ask(sandbox, "POST", f"/pay/{one.token}/")
    assert (status, "确认付款" in page, "已付款" in page) == (200, False, True)
    number = one.notice_id
    ask(sandbox, "POST", f"/pay/{one.token}/")
    assert one.notice_id == number


def test_what_is_over_cannot_be_paid(sandbox: Sandbox) -> None:
    one = trade(sandbox, expires_at="2026-01-01T00:00:00+00:00")
    status, _, page = ask(sandbox, "POST", f"/pay/{one.token}/")
    assert (status, one.state) == (200, "closed")
    assert "已关闭" in page


@pytest.mark.parametrize(
    "path", ["/pay/", "/pay/nothing/", "/", "/x", "/v2/trades", "/control", "/pay/../control/"]
)
def test_what_is_not_there_is_not_found(sandbox: Sandbox, path: str) -> None:
    assert ask(sandbox, "GET", path)[0] == 404


def test_only_this_machine_is_answered_and_only_its_own_pages_turn_switches(
    sandbox: Sandbox,
) -> None:
    assert ask(sandbox, "GET", "/control/", HTTP_HOST="evil.example")[0] == 403
    form = urlencode({"drop": "1"}).encode()
    assert ask(sandbox, "POST", "/control/", form, HTTP_ORIGIN="http://evil.example")[0] == 404
    assert sandbox.trades.next_faults.drop is False
    assert ask(sandbox, "POST", "/control/", form, HTTP_ORIGIN="http://127.0.0.1:8010")[0] == 303
    assert sandbox.trades.next_faults.drop is True


def test_faults_are_set_by_form_by_json_for_one_trade_or_the_next(sandbox: Sandbox) -> None:
    one = trade(sandbox)
    told = json.dumps({"reference": "P1", "duplicate": 3, "forged": True}).encode()
    assert ask(sandbox, "POST", "/control/", told, CONTENT_TYPE="application/json")[0] == 200
    assert (one.faults.duplicate, one.faults.forged) == (3, True)
    ask(sandbox, "POST", "/control/", urlencode({"delay": "7"}).encode())
    assert trade(sandbox, reference="P2").faults.delay == 7
    assert trade(sandbox, reference="P3").faults.delay == 0
    _, _, page = ask(sandbox, "GET", "/control/?reference=P2&duplicate=5&drop=1")
    assert "value='P2'" in page
    assert "name='duplicate' value='5'" in page
    assert "name='drop' value='1' checked" in page


@pytest.mark.parametrize(
    "told",
    [
        b"{",
        b"[]",
        b'{"explode": 1}',
        b'{"duplicate": "x"}',
        b'{"duplicate": 99999}',
        b'{"reference": "none"}',
    ],
)
def test_a_fault_that_cannot_be_is_refused(sandbox: Sandbox, told: bytes) -> None:
    assert ask(sandbox, "POST", "/control/", told, CONTENT_TYPE="application/json")[0] == 400
    assert ask(sandbox, "POST", "/control/pay/", told, CONTENT_TYPE="application/json")[0] == 400


def test_a_closed_trade_can_be_paid_anyway_by_the_switch(sandbox: Sandbox) -> None:
    one = trade(sandbox)
    one.state = "closed"
    for told, is_paid in (
        ({"reference": "P1"}, False),
        ({"reference": "P1", "anyway": True}, True),
    ):
        body = json.dumps(told).encode()
        _, _, answer = ask(sandbox, "POST", "/control/pay/", body, CONTENT_TYPE="application/json")
        assert json.loads(answer) == {"is_paid": is_paid}


def test_a_body_that_is_too_large_is_not_read(sandbox: Sandbox) -> None:
    assert ask(sandbox, "POST", "/v1/trades", CONTENT_LENGTH="70000")[0] == 413
    assert ask(sandbox, "POST", "/v1/trades", CONTENT_LENGTH="x")[0] == 413


def test_notices_go_to_this_machine_only() -> None:
    assert is_loopback("http://127.0.0.1:8000/pay/notify/sandbox/")
    assert is_loopback("http://[::1]:8000/")
    for url in (
        "https://127.0.0.1/",
        "http://10.0.0.1/",
        "http://127.0.0.1.evil.example/",
        "x",
        "http://[/",
    ):
        assert not is_loopback(url)
    assert send("http://127.0.0.1:1/", {}, b"") == 0


# Over real sockets --------------------------------------------------------------------------------


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[str]:
    """The sandbox on a port of this machine; its address."""
    with make_server("127.0.0.1", 0, sandbox, _Server, _Quiet) as server:
        sandbox.base = sandbox.api.base = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield sandbox.base
        server.shutdown()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_an_order_is_paid_over_http_from_end_to_end(
    live_server: Any,
    sandbox: Sandbox,
    served: str,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from liuke.payments import gateways

    settings.LIUKE_GATEWAYS = ("wallet", "sandbox")
    settings.LIUKE_SITE_URL = live_server.url
    adapter = Adapter(served, tmp_path / "sandbox")
    monkeypatch.setitem(gateways._KNOWN, "sandbox", lambda: adapter)
    sandbox.notifier.post = send
    order = orders.order(orders.shop().coins)
    payment = make.started(order)
    page = http.client.HTTPConnection(served.removeprefix("http://"))
    page.request("POST", payment.pay_url.removeprefix(served))
    assert page.getresponse().status == 303
    page.close()
    assert sandbox.notifier.send_due() == 1
    assert sandbox.notifier.sent[-1][1] == 200
    order.refresh_from_db()
    assert order.state == "delivered"
    assert adapter.query(payment).state == "paid"
    assert Payment.objects.get().state == "paid"


@pytest.mark.parametrize("odd", ["redirect", "large", "slow header"])
def test_what_answers_oddly_is_away(odd: str) -> None:
    class Odd(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if odd == "redirect":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
            elif odd == "large":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * (outbound.BYTES_MAX + 1))
            else:
                self.wfile.write(b"no http at all\r\n\r\n")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        if odd == "redirect":
            answer = outbound.call(method="GET", base=base, path="/", headers={})
            assert answer.status == 302, "an answer, and not followed"
        else:
            with pytest.raises(GatewayAway):
                outbound.call(method="GET", base=base, path="/", headers={})
        server.shutdown()
