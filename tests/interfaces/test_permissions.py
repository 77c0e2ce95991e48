"""Who may open what: one table over every address of the console."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import get_resolver

from liuke.interfaces.console.urls import urlpatterns
from liuke.people.models import Member

TO_THE_DOOR, SHOWN, SEE_OTHER, ONLY_POST = 302, 200, 302, 405
# name: (path, anonymous GET, operator GET)
TABLE = {
    "overview": ("/", TO_THE_DOOR, SHOWN),
    "members": ("/members/", TO_THE_DOOR, SHOWN),
    "member": ("/members/{reference}/", TO_THE_DOOR, SHOWN),
    "report": ("/report/", TO_THE_DOOR, SHOWN),
    "login": ("/login/", SHOWN, SEE_OTHER),
    "logout": ("/logout/", ONLY_POST, ONLY_POST),
    "theme": ("/theme/", ONLY_POST, ONLY_POST),
}


def test_every_address_is_in_the_table() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(TABLE)
    assert {str(p.pattern) for p in get_resolver().url_patterns} <= {"healthz", "i18n/", ""}


@pytest.mark.parametrize("name", TABLE)
def test_anonymous_sees_only_the_door(name: str, client: Client, regular: Member) -> None:
    path, anonymous, _ = TABLE[name]
    answer = client.get(path.format(reference=regular.reference))
    assert answer.status_code == anonymous
    if anonymous == TO_THE_DOOR:
        assert answer["Location"].startswith("/login/?next=/")
        assert regular.external_id.encode() not in answer.content


@pytest.mark.parametrize("name", TABLE)
def test_operator_sees_the_rooms(name: str, visitor: Client, regular: Member) -> None:
    path, _, operator = TABLE[name]
    assert visitor.get(path.format(reference=regular.reference)).status_code == operator


@pytest.mark.parametrize("path", ["/?format=csv&part=rfm", "/members/?format=csv"])
def test_sheets_need_a_login_too(path: str, client: Client, regular: Member) -> None:
    assert client.get(path).status_code == TO_THE_DOOR


def test_pages_carry_the_strict_policy(visitor: Client, regular: Member) -> None:
    policy = visitor.get("/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
