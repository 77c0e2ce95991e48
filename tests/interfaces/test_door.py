"""In and out: the password, then the second factor, and nobody signed in between the two."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.http import HttpResponse
from django.test import Client

from liuke.base import clock
from liuke.people.actions import change_password, drop_totp, set_active, set_totp_required
from liuke.people.models import Login, RecoveryCode
from liuke.people.queries import recovery_codes_left
from tests.people.make import code_of, with_totp

PASSWORD = "correct horse battery"
CODE, SET_UP = "/login/code/", "/login/authenticator/"


def sign_in(client: Client, name: str, password: str, to: str = "") -> HttpResponse:
    return client.post("/login/", {"username": name, "password": password, "next": to})


def goes(answer: HttpResponse) -> str:
    """Where a redirect leads."""
    assert answer.status_code == 302
    return answer["Location"]


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def later(**time: float) -> dt.datetime:
    return clock.now() + dt.timedelta(**time)


@pytest.fixture
def by_choice(db: None) -> None:
    """The house leaves the second factor to each of them."""
    set_totp_required(is_required=False, by=None)


# Password -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("by_choice")
def test_the_right_password_opens(client: Client, operator: Login) -> None:
    assert goes(sign_in(client, operator.name, PASSWORD)) == "/"
    assert is_in(client)


@pytest.mark.usefixtures("by_choice")
def test_a_page_asked_for_comes_after_the_login(client: Client, operator: Login) -> None:
    assert (
        sign_in(client, operator.name, PASSWORD, "/members/?stage=silent")["Location"]
        == "/members/?stage=silent"
    )


@pytest.mark.usefixtures("by_choice")
@pytest.mark.parametrize(
    "elsewhere", ["https://bad.example/", "//bad.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere(client: Client, operator: Login, elsewhere: str) -> None:
    assert sign_in(client, operator.name, PASSWORD, elsewhere)["Location"] == "/"
    assert client.post("/theme/", {"theme": "dark", "next": elsewhere})["Location"] == "/"


def test_a_wrong_password_is_told_without_telling_which_part(
    client: Client, operator: Login
) -> None:
    client.cookies["lang"] = "en"
    for name in (operator.name, "nobody"):
        answer = sign_in(client, name, "wrong")
        assert b"do not go together" in answer.content
    assert b'autocomplete="current-password"' in answer.content
    assert b'autocomplete="username"' in answer.content


def test_five_wrong_passwords_lock_and_the_page_says_how_long(
    client: Client, operator: Login
) -> None:
    client.cookies["lang"] = "en"
    for _ in range(5):
        answer = sign_in(client, operator.name, "wrong")
    assert answer.status_code == 429
    assert b"locked from here for 15 minutes" in answer.content
    assert sign_in(client, operator.name, PASSWORD).status_code == 429


def test_a_closed_login_gets_the_same_answer_as_a_wrong_password(
    client: Client, agent: Login
) -> None:
    client.cookies["lang"] = "en"
    set_active(name=agent.name, is_active=False, by=None)
    assert b"do not go together" in sign_in(client, agent.name, PASSWORD).content


# Second factor ------------------------------------------------------------------------------------


def test_between_password_and_code_nobody_is_signed_in(
    client: Client, operator: Login, noon: dt.datetime
) -> None:
    secret, _ = with_totp(operator)
    assert goes(sign_in(client, operator.name, PASSWORD, "/acts/")) == CODE
    assert "_auth_user_id" not in client.session
    for path in ("/", "/members/", "/account/", "/staff/", "/find/"):
        assert goes(client.get(path)).startswith("/login/?next=")
    assert client.get(SET_UP).status_code == 302  # it has one: there is nothing to set up
    assert client.get(CODE).status_code == 200
    with clock.stopped_at(later(seconds=30)):
        assert goes(client.post(CODE, {"code": code_of(secret)})) == "/acts/"
    assert is_in(client)


def test_a_wrong_code_opens_nothing_and_five_lock(
    client: Client, operator: Login, noon: dt.datetime
) -> None:
    client.cookies["lang"] = "en"
    secret, codes = with_totp(operator)
    sign_in(client, operator.name, PASSWORD)
    for _ in range(5):
        answer = client.post(CODE, {"code": "000000"})
        assert answer.status_code == 403
        assert b"wrong or no longer valid" in answer.content
    with clock.stopped_at(later(seconds=60)):
        answer = client.post(CODE, {"code": code_of(secret)})
        assert answer.status_code == 503
        assert b"Try again in 15 minutes" in answer.content
        assert client.post(CODE, {"code": codes[0]}).status_code == 503
    assert not is_in(client)
    assert recovery_codes_left(operator) == 10


def test_a_code_opens_once(client: Client, operator: Login, noon: dt.datetime) -> None:
    secret, _ = with_totp(operator)
    other = Client()
    with clock.stopped_at(later(seconds=30)):
        for each in (client, other):
            sign_in(each, operator.name, PASSWORD)
        assert client.post(CODE, {"code": code_of(secret)}).status_code == 302
        assert other.post(CODE, {"code": code_of(secret)}).status_code == 403
    assert (is_in(client), is_in(other)) == (True, False)


def test_a_recovery_code_opens_once_and_the_last_ones_are_told(
    client: Client, operator: Login, noon: dt.datetime
) -> None:
    client.cookies["lang"] = "en"
    _, codes = with_totp(operator)
    rows = list(RecoveryCode.objects.order_by("id").values_list("pk", flat=True))
    RecoveryCode.objects.filter(pk__in=rows[4:]).update(used_at=noon)
    typed = {"code": codes[0].lower().replace("-", " ")}
    sign_in(client, operator.name, PASSWORD)
    assert client.post(CODE, typed).status_code == 302
    assert recovery_codes_left(operator) == 3
    assert b"You have 3 recovery codes left" in client.get("/account/").content
    other = Client()
    sign_in(other, operator.name, PASSWORD)
    assert other.post(CODE, typed).status_code == 403


@pytest.mark.parametrize("what", ["waited", "closed", "password", "dropped"])
def test_half_way_is_forgotten_when_it_is_too_late(
    client: Client, operator: Login, agent: Login, noon: dt.datetime, what: str
) -> None:
    secret, _ = with_totp(agent)
    sign_in(client, agent.name, PASSWORD)
    passed = dt.timedelta(minutes=5 if what == "waited" else 1)
    if what == "closed":
        set_active(name=agent.name, is_active=False, by=None)
    elif what == "password":
        change_password(name=agent.name, password="another good password", by=None)
    elif what == "dropped":
        drop_totp(name=agent.name, by=None)
    with clock.stopped_at(noon + passed):
        for path in (CODE, SET_UP):
            assert goes(client.get(path)) == "/login/"
            assert goes(client.post(path, {"code": code_of(secret)})) == "/login/"
    assert not is_in(client)


def test_half_way_for_one_is_not_half_way_for_another(
    client: Client, operator: Login, agent: Login, noon: dt.datetime
) -> None:
    theirs, _ = with_totp(agent)
    with_totp(operator)
    sign_in(client, operator.name, PASSWORD)
    with clock.stopped_at(later(seconds=30)):
        assert client.post(CODE, {"code": code_of(theirs)}).status_code == 403
    assert not is_in(client)


def test_the_session_gets_a_new_key_at_each_step(
    client: Client, operator: Login, noon: dt.datetime
) -> None:
    secret, _ = with_totp(operator)
    keys = []
    for step in range(3):
        with clock.stopped_at(later(seconds=30 * step)):
            if step == 0:
                client.session.save()
                client.get("/login/")
            elif step == 1:
                sign_in(client, operator.name, PASSWORD)
            else:
                client.post(CODE, {"code": code_of(secret)})
        keys.append(client.session.session_key)
    assert len(set(keys)) == 3


# Setting it up ------------------------------------------------------------------------------------


def test_where_everyone_needs_one_the_password_leads_to_setting_it_up(
    client: Client, operator: Login, noon: dt.datetime
) -> None:
    client.cookies["lang"] = "en"
    assert goes(sign_in(client, operator.name, PASSWORD, "/acts/")) == SET_UP
    assert not is_in(client)
    page = client.get(SET_UP).content.decode()
    secret = shown_key(page)
    assert "<svg" in page
    assert " style=" not in page
    assert shown_key(client.get(SET_UP).content.decode()) == secret
    answer = client.post(SET_UP, {"code": "000000"})
    assert answer.status_code == 403
    assert shown_key(answer.content.decode()) == secret
    assert not is_in(client)

    answer = client.post(SET_UP, {"code": code_of(secret)})
    codes = re.findall(r"<li>([2-9A-Z]{5}-[2-9A-Z]{5})</li>", answer.content.decode())
    assert len(set(codes)) == 10
    assert 'href="/acts/"' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert is_in(client)
    # Shown once: the same form again finds an authenticator and shows nothing.
    again = client.post(SET_UP, {"code": code_of(secret)})
    assert goes(again) == "/account/"
    assert recovery_codes_left(operator) == 10


def shown_key(page: str) -> str:
    found = re.search(r'id="key">([A-Z2-7]{32})<', page)
    assert found is not None
    return found[1]


@pytest.mark.usefixtures("by_choice")
def test_by_choice_it_is_set_up_from_the_account_page(
    client: Client, operator: Login, noon: dt.datetime
) -> None:
    sign_in(client, operator.name, PASSWORD)
    secret = shown_key(client.get(SET_UP).content.decode())
    assert client.post(SET_UP, {"code": code_of(secret)}).status_code == 200
    assert is_in(client)
    client.post("/logout/")
    assert goes(sign_in(client, operator.name, PASSWORD)) == CODE


def test_a_stranger_is_shown_no_secret(client: Client, operator: Login) -> None:
    for path in (CODE, SET_UP):
        assert goes(client.get(path)) == "/login/"
        assert goes(client.post(path, {"code": "123456"})) == "/login/"


# Out, theme, language -----------------------------------------------------------------------------


def test_signing_out_ends_it(visitor: Client) -> None:
    assert visitor.post("/logout/")["Location"] == "/login/"
    assert visitor.get("/").status_code == 302


def test_theme_is_remembered_and_nonsense_is_not(client: Client, db: None) -> None:
    answer = client.post("/theme/", {"theme": "dark", "next": "/members/"})
    assert answer["Location"] == "/members/"
    assert answer.cookies["theme"].value == "dark"
    assert b'data-theme="dark"' in client.get("/login/").content
    assert "theme" not in client.post("/theme/", {"theme": "<b>"}).cookies
    client.cookies["theme"] = '"><script>'
    assert b'data-theme="auto"' in client.get("/login/").content


def test_language_follows_the_cookie(client: Client, db: None) -> None:
    assert "谁该来没来" in client.get("/login/").content.decode()
    client.cookies["lang"] = "en"
    assert "who is overdue" in client.get("/login/").content.decode()
