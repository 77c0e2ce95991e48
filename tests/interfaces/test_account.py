"""One's own login: a new password, new recovery codes, another phone."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client

from liuke.base import clock
from liuke.people.actions import set_totp_required
from liuke.people.models import Login, StaffAct
from liuke.people.queries import recovery_codes_left
from tests.people.make import code_of, with_totp

PASSWORD, FRESH = "correct horse battery", "purple monkey dishwasher"


def change(client: Client, **given: str) -> tuple[int, str]:
    form = {"present": PASSWORD, "fresh": FRESH, "again": FRESH, **given}
    answer = client.post("/account/password/", form)
    return answer.status_code, answer.content.decode()


def knows(login: Login, password: str) -> bool:
    login.refresh_from_db()
    return login.check_password(password)


def test_a_new_password_keeps_this_session_and_ends_the_others(
    visitor: Client, operator: Login
) -> None:
    elsewhere = Client()
    elsewhere.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    assert elsewhere.get("/account/").status_code == 200
    assert change(visitor)[0] == 302
    assert knows(operator, FRESH)
    assert b"Password changed" in visitor.get("/account/").content
    assert elsewhere.get("/account/").status_code == 302
    act = StaffAct.objects.get(verb="login.password")
    assert (act.by, act.about, act.detail) == (operator, operator.name, {})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"present": "wrong"}, "This is not your password."),
        ({"again": "purple monkey"}, "The two do not match."),
        ({"fresh": "short", "again": "short"}, "too weak"),
        ({"fresh": "", "again": ""}, "too weak"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_nothing_changes(
    visitor: Client, operator: Login, given: dict[str, str], says: str
) -> None:
    status, page = change(visitor, **given)
    assert status == 400
    assert says in page
    assert FRESH not in page
    assert knows(operator, PASSWORD)
    assert not StaffAct.objects.filter(verb="login.password").exists()


def test_guessing_at_an_open_desk_is_locked_like_the_door(visitor: Client, operator: Login) -> None:
    for _ in range(5):
        status, _ = change(visitor, present="wrong")
    assert status == 429
    assert change(visitor)[0] == 429
    assert knows(operator, PASSWORD)


def test_new_recovery_codes_need_a_code_and_end_the_old_ones(
    visitor: Client, operator: Login, noon: dt.datetime
) -> None:
    secret, old = with_totp(operator)
    assert visitor.post("/account/codes/", {"code": "000000"}).status_code == 403
    assert recovery_codes_left(operator) == 10
    with clock.stopped_at(noon + dt.timedelta(seconds=60)):
        form = {"code": code_of(secret)}
        page = visitor.post("/account/codes/", form).content.decode()
        new = re.findall(r"<li>([2-9A-Z]{5}-[2-9A-Z]{5})</li>", page)
        assert len(new) == 10
        assert not set(new) & set(old)
        # The same click again: the code is spent, the codes that were shown stay good.
        assert visitor.post("/account/codes/", form).status_code == 403
        assert visitor.post("/account/codes/", {"code": old[0]}).status_code == 403
        assert visitor.post("/account/codes/", {"code": new[0]}).status_code == 200
    assert [act.verb for act in StaffAct.objects.filter(verb="login.recovery_codes")] == [
        "login.recovery_codes"
    ] * 2


def test_another_phone_takes_a_last_code_of_the_old_one(
    visitor: Client, operator: Login, noon: dt.datetime
) -> None:
    secret, codes = with_totp(operator)
    assert visitor.post("/account/authenticator/", {"code": "000000"}).status_code == 403
    operator.refresh_from_db()
    assert operator.totp_since == noon
    answer = visitor.post("/account/authenticator/", {"code": codes[3]})
    assert answer["Location"] == "/login/authenticator/"
    operator.refresh_from_db()
    assert (operator.totp_since, recovery_codes_left(operator)) == (None, 0)
    assert visitor.get("/account/").status_code == 200  # this session goes on
    page = visitor.get("/login/authenticator/").content.decode()
    assert secret not in page


def test_where_it_is_required_a_changed_phone_is_set_up_before_anything_else(
    visitor: Client, operator: Login, noon: dt.datetime
) -> None:
    _, codes = with_totp(operator)
    set_totp_required(is_required=True, by=None)
    visitor.post("/account/authenticator/", {"code": codes[0]})
    for path in ("/", "/account/", "/staff/"):
        assert visitor.get(path)["Location"] == "/login/authenticator/"


def test_an_agent_has_an_account_too(answering: Client, agent: Login) -> None:
    page = answering.get("/account/").content.decode()
    assert agent.name in page
    assert "Agent" in page
    assert change(answering)[0] == 302
    assert knows(agent, FRESH)
