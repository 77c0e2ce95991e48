"""How is a gateway called? To its own address only, no redirects, no proxies, five seconds, and little to read."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from liuke.payments.errors import GatewayAway

TIMEOUT_SECONDS = 5
BYTES_MAX = 64 * 1024


class _NoRedirect(HTTPRedirectHandler):
    """An answer that sends us elsewhere is an answer, not a way to go."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


_opener = build_opener(_NoRedirect, ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    *, method: str, base: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> Answer:
    """Ask the gateway at `base`, whatever `path` says.

    Raises:
        GatewayAway: no answer, a broken one, too much of it, or an address that is not below `base`.
    """
    url = base + path
    if urlsplit(url)[:2] != urlsplit(base)[:2]:
        raise GatewayAway
    request = Request(url, data=body or None, method=method, headers=dict(headers))
    try:
        with _open(request) as answer:
            read = answer.read(BYTES_MAX + 1)
            told = {name.lower(): value for name, value in answer.headers.items()}
            status = int(answer.status or 0)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise GatewayAway from error
    if len(read) > BYTES_MAX:
        raise GatewayAway
    return Answer(status, told, read)


def _open(request: Request) -> http.client.HTTPResponse | HTTPError:
    try:
        answer: http.client.HTTPResponse = _opener.open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as refused:  # an answer too
        return refused
    return answer
