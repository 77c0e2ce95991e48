"""What may a browser tell of its visitor, and from whom is nothing taken? The page's script is `seen.js`.

A body is a list of what was done, in the script's short form: `{"v": visitor, "b": batch, "s": came from, "e": [[kind,
milliseconds since 1970, product, variant, text], ...]}`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import HttpRequest, validate_host

from liuke.analytics.actions.behaviour import Did, note_behaviour

BODY_BYTES, DONE_MAX = 16 * 1024, 50
NO_NOTES_COOKIE = (
    "notes"  # there, with "no", on a device whose visitor wants none; the script reads it
)
KINDS = ("view", "search", "add", "click")  # the rest is known to the server itself
OLDEST, NEWEST = dt.timedelta(hours=24), dt.timedelta(minutes=2)

_NAME = re.compile(r"[0-9a-z]{8,18}")
_REFERENCE = re.compile(r"[0-9A-Z]{0,16}")
_PLACE = re.compile(r"[0-9a-z:._-]{0,60}")
_BOT = re.compile(
    r"(?<!cu)bot(?:\b|[_-])|crawl|spider|slurp|headless|phantom|selenium|puppeteer|playwright|lighthouse|preview"
    r"|python|curl|wget|okhttp|java/|go-http|libwww|httpclient|axios|node-fetch|scrapy|monitor|uptime|facebookexternal",
    re.IGNORECASE,
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def is_bot(agent: str) -> bool:
    """Whether a program says of itself that it is one, or says nothing."""
    return len(agent) < 12 or _BOT.search(agent) is not None


def asks_for_no_notes(headers: Mapping[str, str]) -> bool:
    """Whether the browser asks everybody that nothing be noted; headers by their names in lower case."""
    return headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"


def wants_no_notes(headers: Mapping[str, str]) -> bool:
    """Whether the browser asks for it, or the visitor chose so on this device."""
    cookies = headers.get("cookie", "").replace(" ", "").split(";")
    return asks_for_no_notes(headers) or f"{NO_NOTES_COOKIE}=no" in cookies


def note(request: HttpRequest, person_id: int, kind: str) -> None:
    """Keep one thing that the server itself saw a member do, unless they want no notes here."""
    if not wants_no_notes(request.headers):
        note_behaviour(person_id=person_id, kind=kind)


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Whether one of our own pages sends this."""
    host, origin = headers.get("host", ""), headers.get("origin", "")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if not validate_host(name.lower(), settings.ALLOWED_HOSTS):
        return False
    return urlsplit(origin).netloc == host or origin in settings.CSRF_TRUSTED_ORIGINS


def read_beacon(body: bytes, now: dt.datetime) -> list[Did] | None:
    """What a visitor did, as told in one body; None when it is not what the script sends.

    What lies a day back, or ahead of us, is left out: the moments are part of what makes a repeated body harmless, so
    they are never moved.
    """
    try:
        told = json.loads(body)
        visitor, batch, came_from = str(told["v"]), str(told["b"]), str(told.get("s", "")).lower()
        done = told["e"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    is_whole = _NAME.fullmatch(visitor) and _NAME.fullmatch(batch) and isinstance(done, list)
    if not is_whole or not 0 < len(done) <= DONE_MAX:
        return None
    place = came_from if _PLACE.fullmatch(came_from) else ""
    rows = [_did(batch, number, each, visitor, place) for number, each in enumerate(done)]
    if any(row is None for row in rows):
        return None
    return [row for row in rows if row is not None and now - OLDEST <= row.at <= now + NEWEST]


def _did(batch: str, position: int, each: Any, visitor: str, place: str) -> Did | None:
    try:
        kind, at_ms, product, variant, text = each
        at = _EPOCH + dt.timedelta(milliseconds=int(at_ms))
        is_known = kind in KINDS and _REFERENCE.fullmatch(product) and _REFERENCE.fullmatch(variant)
    except (ValueError, TypeError, OverflowError):
        return None
    if not is_known or not isinstance(text, str):
        return None
    name = f"{visitor}-{batch}"
    return Did(name, position, at, kind, None, visitor, product, variant, text, place)
