"""In and out."""

from __future__ import annotations

import pytest
from django.test import Client

from liuke.people.models import Login

PASSWORD = "correct horse battery"


def sign_in(client: Client, name: str, password: str, to: str = "") -> object:
    return client.post("/login/", {"username": name, "password": password, "next": to})


def test_the_right_password_opens(client: Client, operator: Login) -> None:
    answer = sign_in(client, operator.name, PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_page_asked_for_comes_after_the_login(client: Client, operator: Login) -> None:
    assert (
        sign_in(client, operator.name, PASSWORD, "/members/?stage=silent")["Location"]
        == "/members/?stage=silent"
    )


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
