"""What browsers tell: from our own pages only, of those who allow it, once, and never more than the memory holds."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections

from liuke.analytics.models import Behaviour, BehaviourDay
from liuke.interfaces.storefront.beacon import is_bot, is_from_here, read_beacon, wants_no_notes
from liuke.people.actions import change_consent, erase_member
from liuke.people.models import Member
from liuke.project import beacons as module
from liuke.project.beacons import Beacons
from tests.conftest import NOON
from tests.orders import make
from tests.project.test_streams import cookie_of

PHONE = "Mozilla/5.0 (Linux; Android 11; V2066A) AppleWebKit/537.36 Chrome/92.0.4515.131 Mobile Safari/537.36"
NOON_MS = int(NOON.timestamp() * 1000)
VISITOR, BATCH = "v1s1t0rv1s1t0r", "b4tchb4tch0001"


def told(*done: list[Any], visitor: str = VISITOR, batch: str = BATCH, **more: Any) -> bytes:
    """A body as the script sends it."""
    return json.dumps({"v": visitor, "b": batch, "s": "direct", "e": list(done), **more}).encode()


def seen(kind: str = "view", at: int = NOON_MS, product: str = "P1", text: str = "") -> list[Any]:
    return [kind, at, product, "", text]


async def post(
    beacons: Beacons, body: bytes, *, cookie: str = "", method: str = "POST", **headers: str
) -> int:
    """The status that a browser would see."""
    given = {
        "host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "user-agent": PHONE, **headers,
    }  # fmt: skip
    scope: Any = {
        "type": "http",
        "method": method,
        "path": "/behaviour/",
        "client": ("203.0.113.9", 50000),
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in {**given, "cookie": cookie}.items()
            if value
        ],
    }
    pieces, status = [body[:7], body[7:]], []

    async def receive() -> Any:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    await beacons(scope, receive, send)
    return int(status[0])


def run(story: Callable[[Beacons], Awaitable[None]]) -> None:
    """A story on a collector of its own; what it took is written before it ends."""

    async def whole() -> None:
        beacons = Beacons()
        try:
            await story(beacons)
            if beacons._writer is not None:
                await asyncio.wait_for(beacons._writer, 20)
        finally:
            beacons._thread.shutdown()
            await sync_to_async(connections.close_all)()

    asyncio.run(whole())


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.05)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)


@pytest.fixture
def li(transactional_db: None, noon: dt.datetime) -> Member:
    return make.member()


def kept() -> list[tuple[str, int | None, str]]:
    rows = Behaviour.objects.order_by("at", "batch", "position")
    return list(rows.values_list("kind", "person", "visitor"))


# Who is noted -------------------------------------------------------------------------------------


def test_a_members_visit_is_theirs_and_a_strangers_is_nobodys(li: Member) -> None:
    mine = cookie_of(li)

    async def story(beacons: Beacons) -> None:
        assert await post(beacons, told(seen(), seen("search", product="", text="原神"))) == 204
        assert await post(beacons, told(seen("add"), batch="another0batch"), cookie=mine) == 204
        assert await post(beacons, told(seen(), batch="third00batch"), cookie="member=gone") == 204

    run(story)
    stranger, sought, begun, ended = sorted(kept(), key=lambda row: (row[1] or 0, row[0]))[:4]
    assert {stranger, sought, begun} == {
        ("view", None, VISITOR), ("search", None, VISITOR), ("view", None, VISITOR),
    }  # fmt: skip
    assert ended == ("add", li.pk, "")
    assert BehaviourDay.objects.get().adds == 1


def test_of_whoever_said_no_or_was_erased_nothing_is_kept(li: Member) -> None:
    wang = make.member()
    mine, theirs = cookie_of(li), cookie_of(wang)
    change_consent(
        person_id=li.pk, channel="site", purpose="behaviour", is_given=False, basis="member"
    )

    async def story(beacons: Beacons) -> None:
        assert await post(beacons, told(seen()), cookie=mine) == 204
        assert await post(beacons, told(seen(), batch="another0batch"), cookie=theirs) == 204
        await sync_to_async(erase_member)(member=wang, by=None)

    run(story)
    assert [person for _, person, _ in kept() if person is not None] == []


@pytest.mark.parametrize(
    "headers",
    [{"dnt": "1"}, {"sec_gpc": "1"}, {"cookie": "lang=en; notes=no"}, {"user_agent": "curl/8.5.0"}],
)
def test_who_wants_no_notes_and_what_is_no_browser_leave_nothing(
    li: Member, headers: dict[str, str]
) -> None:
    async def story(beacons: Beacons) -> None:
        assert await post(beacons, told(seen()), **{"user-agent": PHONE, **headers}) == 204
        assert beacons.dropped == {"unwanted": 1}

    given = {name.replace("_", "-"): value for name, value in headers.items()}
    assert wants_no_notes(given) or is_bot(given["user-agent"])
    run(story if "user_agent" not in headers else _by_curl)
    assert kept() == []


async def _by_curl(beacons: Beacons) -> None:
    assert await post(beacons, told(seen()), **{"user-agent": "curl/8.5.0"}) == 204
    assert beacons.dropped == {"unwanted": 1}


@pytest.mark.parametrize(
    ("agent", "is_one"),
    [
        (PHONE, False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 14_4 like Mac OS X) MicroMessenger/8.0.2", False),
        ("Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 Chrome/90.0", False),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com)", True),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", True),
        ("Mozilla/5.0 HeadlessChrome/120.0.0.0 Safari/537.36", True),
        ("python-requests/2.31", True),
        ("", True),
    ],
)
def test_programs_are_known_by_their_names(agent: str, is_one: bool) -> None:
    assert is_bot(agent) is is_one


@pytest.mark.parametrize(
    ("host", "origin", "is_ours"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("127.0.0.1:8000", "https://127.0.0.1:8000", True),
        ("127.0.0.1:8000", "http://evil.example", False),
        ("127.0.0.1:8000", "null", False),
        ("127.0.0.1:8000", "", False),
        ("evil.example", "http://evil.example", False),
    ],
)
def test_only_our_own_pages_are_believed(host: str, origin: str, is_ours: bool) -> None:
    assert is_from_here({"host": host, "origin": origin}) is is_ours


# What is read -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"nonsense", b"[" * 9000, told(), told(*[seen()] * 51), told(seen("login")), told(seen("buy")),
        told(seen(product="p1'--")), told(seen(product="X" * 17)), told(["view", NOON_MS]), told(seen(), visitor="V!"),
        told(seen(), batch=""), told(["view", "soon", "", "", ""]), told(["view", 1e400, "", "", ""]),
        told(["view", NOON_MS, None, "", ""]), told(["view", NOON_MS, "", "", 7]), told(seen(), e={"view": 1}),
        told([["view"], NOON_MS, "", "", ""]),
    ],
)  # fmt: skip
def test_what_the_script_does_not_send_is_refused(body: bytes) -> None:
    assert read_beacon(body, NOON) is None


def test_moments_are_never_moved_only_left_out() -> None:
    day = 24 * 3600 * 1000
    body = told(seen(at=NOON_MS - day - 1), seen(at=NOON_MS - day), seen(at=NOON_MS + 130_000))
    found = read_beacon(body, NOON)
    assert found is not None
    assert [(row.position, row.at) for row in found] == [(1, NOON - dt.timedelta(days=1))]
    assert read_beacon(body, NOON + dt.timedelta(seconds=1)) == [
        row for row in read_beacon(body, NOON) or [] if row.position == 2
    ]


def test_statuses_tell_what_went_wrong(li: Member) -> None:
    async def story(beacons: Beacons) -> None:
        assert await post(beacons, b"", method="GET") == 405
        assert await post(beacons, told(seen()), origin="http://evil.example") == 403
        assert await post(beacons, b" " * 17_000) == 413
        assert await post(beacons, b"{}" + b" " * 100) == 400
        assert beacons.dropped == {"unreadable": 1}

    run(story)
    assert kept() == []


# How much -----------------------------------------------------------------------------------------


def test_a_body_told_twice_is_kept_once(li: Member) -> None:
    async def story(beacons: Beacons) -> None:
        for _ in range(3):
            assert await post(beacons, told(seen(), seen("click"))) == 204
            await asyncio.sleep(0.1)

    run(story)
    assert len(kept()) == 2


def test_one_visitor_and_one_address_are_noted_so_often(
    li: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EACH_A_MINUTE", 3)
    monkeypatch.setattr(module, "NETWORK_A_MINUTE", 5)

    async def story(beacons: Beacons) -> None:
        for number in range(4):
            assert await post(beacons, told(seen(), batch=f"batch0000{number}")) == 204
        for number in range(4):
            body = told(seen(), visitor=f"visitor000{number}")
            assert await post(beacons, body) == 204
        assert await post(beacons, told(seen(), batch="elsewhere0"), cookie="a=b") == 204
        assert beacons.dropped["too much"] > 0

    run(story)
    assert len(kept()) == 5  # three of the one, and what the address had left


def test_a_full_memory_says_come_back_and_a_database_that_is_away_loses_nothing(
    li: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    write, fails = module.note_behaviours, [OperationalError("away")] * 3

    def broken(rows: Any) -> int:
        if fails:
            raise fails.pop()
        return write(rows)

    monkeypatch.setattr(module, "note_behaviours", broken)

    async def story(beacons: Beacons) -> None:
        assert await post(beacons, told(seen(), seen())) == 204
        assert await post(beacons, told(seen(), seen(), batch="another0batch")) == 503
        assert beacons.dropped == {"full": 1}
        while fails or beacons._rows:
            await asyncio.sleep(0.02)
        assert await post(beacons, told(seen(), seen(), batch="another0batch")) == 204

    run(story)
    assert len(kept()) == 4


def test_a_process_that_is_stopped_writes_what_it_holds(
    li: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_SECONDS", 60.0)

    async def story(beacons: Beacons) -> None:
        assert await post(beacons, told(seen())) == 204
        await beacons.close()
        assert beacons._writer is not None
        beacons._full.set()

    run(story)
    assert len(kept()) == 1
