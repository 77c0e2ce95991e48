"""Who may open what: one table over every address of the member side."""

from __future__ import annotations

import pytest
from django.test import Client

from liuke.analytics.models import Source
from liuke.engagement.queries import unsubscribe_token
from liuke.interfaces.storefront.urls import urlpatterns
from liuke.people.models import Login
from tests.interfaces.storefront.make import LI, WANG, browser, send, sign_in
from tests.people.make import Phone

pytestmark = pytest.mark.django_db
DOOR, SHOWN, HOME, ONLY_POST, UNKNOWN = 302, 200, 302, 405, 404
# name: (path, nobody or staff, another member, the member)
TABLE = {
    "home": ("/me/", DOOR, SHOWN, SHOWN),
    "inbox": ("/me/inbox/", DOOR, SHOWN, SHOWN),
    "message": ("/me/inbox/{reference}/", DOOR, UNKNOWN, SHOWN),
    "why": ("/me/why/{reference}/", DOOR, UNKNOWN, SHOWN),
    "contacts": ("/me/contacts/", DOOR, SHOWN, SHOWN),
    "preferences": ("/me/preferences/", DOOR, SHOWN, SHOWN),
    "quiet": ("/me/preferences/quiet/", DOOR, SHOWN, SHOWN),
    "zone": ("/me/preferences/zone/", DOOR, SHOWN, SHOWN),
    "email": ("/me/preferences/email/", DOOR, SHOWN, SHOWN),
    "birthday": ("/me/preferences/birthday/", DOOR, SHOWN, SHOWN),
    "consents": ("/me/preferences/consents/", DOOR, SHOWN, SHOWN),
    "own_file": ("/me/preferences/file/", DOOR, SHOWN, SHOWN),
    "erase": ("/me/preferences/erase/", DOOR, SHOWN, SHOWN),
    "gone": ("/me/gone/", SHOWN, SHOWN, SHOWN),
    "privacy": ("/me/privacy/", SHOWN, SHOWN, SHOWN),
    "login": ("/me/login/", SHOWN, HOME, HOME),
    "code": ("/me/login/code/", DOOR, DOOR, DOOR),
    "logout": ("/me/logout/", ONLY_POST, ONLY_POST, ONLY_POST),
    "nothing": ("/me/elsewhere/", UNKNOWN, UNKNOWN, UNKNOWN),
    "notify": ("/pay/notify/sandbox/", ONLY_POST, ONLY_POST, ONLY_POST),
    "back": ("/pay/back/NOTHING/", DOOR, UNKNOWN, UNKNOWN),
    "opt_out": ("/u/{token}", SHOWN, SHOWN, SHOWN),
    "undo": ("/u/{token}/undo", ONLY_POST, ONLY_POST, ONLY_POST),
}


def test_every_address_is_in_the_table() -> None:
    assert [pattern.name for pattern in urlpatterns] == list(TABLE)


def test_the_table_holds(shop: Source, phone: Phone, operator: Login) -> None:
    sent = send(shop, LI)
    staff = browser()
    staff.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    visitors: list[tuple[Client, int]] = [
        (browser(), 0), (staff, 0), (sign_in(phone, WANG), 1), (sign_in(phone, LI), 2),
    ]  # fmt: skip
    for name, (path, *wanted) in TABLE.items():
        address = path.format(reference=sent.reference, token=unsubscribe_token(sent))
        for client, column in visitors:
            answer = client.get(address)
            assert answer.status_code == wanted[column], (name, column)
            if wanted[column] == DOOR and column == 0:
                assert answer["Location"].startswith("/me/login/")
                assert answer.content == b""


def test_pages_of_members_are_kept_by_no_cache_and_run_nothing_foreign(li: Client) -> None:
    for path, *_ in list(TABLE.values())[:13]:
        if "{" not in path:
            answer = li.get(path)
            assert "no-store" in answer["Cache-Control"]
            policy = answer["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "script-src 'self'" in policy
            assert " style=" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/me", "/me/inbox", "/me/preferences/quiet"])
def test_a_missing_slash_is_added(li: Client, path: str) -> None:
    answer = li.get(path)
    assert (answer.status_code, answer["Location"]) == (301, f"{path}/")


def test_a_wrong_address_below_me_stays_with_the_members(li: Client) -> None:
    page = li.get("/me/nothing/at/all/").content.decode()
    assert 'href="/me/"' in page
    assert 'href="/"' not in page


def test_what_is_only_read_is_not_posted_to(li: Client, shop: Source) -> None:
    for path in (
        "/me/",
        "/me/inbox/",
        "/me/contacts/",
        "/me/preferences/consents/",
        "/me/preferences/file/",
    ):
        assert li.post(path).status_code == 405
