"""Roles, the last operator, and sessions that end."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from liuke.base import clock
from liuke.people import actions, queries
from liuke.people.errors import LastOperator, UnknownLogin, UnknownRole, WeakPassword
from liuke.people.models import Login, StaffAct
from tests.people import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def state(name: str) -> tuple[str, bool]:
    login = queries.login_named(name)
    return login.role, login.is_active


def test_outside_of_tests_a_password_is_turned_over_hundreds_of_thousands_of_times() -> None:
    told = "import django; django.setup(); from django.contrib.auth.hashers import make_password as m; print(m('x'))"
    done = subprocess.run(
        [sys.executable, "-c", told],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "liuke.project.settings"},
        stdout=subprocess.PIPE, text=True, check=True, timeout=60,
    )  # fmt: skip
    algorithm, iterations, *_ = done.stdout.split("$")
    assert algorithm == "pbkdf2_sha256"
    assert int(iterations) >= 600_000


def test_a_login_has_a_role_and_no_other_word(operator: Login) -> None:
    helper = actions.open_login(name="小王", password=make.PASSWORD, role="agent", by=operator)
    assert (helper.is_operator, operator.is_operator) == (False, True)
    with pytest.raises(UnknownRole):
        actions.open_login(name="x", password=make.PASSWORD, role="root")
    with pytest.raises(UnknownRole):
        actions.set_role(name="小王", role="root", by=operator)
    with pytest.raises(IntegrityError), transaction.atomic():
        Login.objects.filter(pk=helper.pk).update(role="root")
    assert [login.name for login in queries.logins()] == ["站长", "小王"]
    assert state("小王") == ("agent", True)


@pytest.mark.parametrize("leave", ["agent", "closed"])
def test_the_last_active_operator_stays_one(operator: Login, leave: str) -> None:
    actions.open_login(name="second", password=make.PASSWORD)
    make.agent("helper")

    def go(name: str) -> None:
        if leave == "agent":
            actions.set_role(name=name, role="agent", by=None)
        else:
            actions.set_active(name=name, is_active=False, by=None)

    go("second")
    acts = StaffAct.objects.count()
    with pytest.raises(LastOperator) as refused:
        go("站长")
    assert "站长" in str(refused.value)
    assert state("站长") == ("operator", True)
    assert StaffAct.objects.count() == acts
    actions.set_active(name="helper", is_active=False, by=None)  # an agent may always go
    assert state("helper") == ("agent", False)


def test_an_operator_who_is_closed_does_not_count_as_one(operator: Login) -> None:
    actions.open_login(name="second", password=make.PASSWORD)
    actions.set_active(name="second", is_active=False, by=operator)
    with pytest.raises(LastOperator):
        actions.set_role(name="站长", role="agent", by=operator)
    actions.set_role(name="second", role="agent", by=operator)  # they are no operator that counts


def test_nobody_is_made_or_changed_by_a_name_that_is_not_there(operator: Login) -> None:
    for change in (
        lambda: actions.set_role(name="x", role="operator", by=None),
        lambda: actions.set_active(name="x", is_active=True, by=None),
        lambda: actions.change_password(name="x", password=make.PASSWORD),
        lambda: actions.drop_totp(name="x", by=None),
        lambda: queries.login_named("x"),
    ):
        with pytest.raises(UnknownLogin):
            change()
    assert StaffAct.objects.count() == 1  # opening the operator


def signed_in(login: Login) -> Client:
    browser = Client()
    browser.force_login(Login.objects.get(pk=login.pk), "django.contrib.auth.backends.ModelBackend")
    assert is_in(browser)
    return browser


def is_in(browser: Client) -> bool:
    from django.contrib.auth import get_user
    from django.http import HttpRequest

    request = HttpRequest()
    request.session = browser.session
    return get_user(request).is_authenticated


def test_closing_ends_sessions_and_opening_again_does_not_bring_them_back(operator: Login) -> None:
    helper = make.agent()
    browser, other = signed_in(helper), signed_in(operator)
    actions.set_active(name=helper.name, is_active=False, by=operator)
    assert not is_in(browser)
    with clock.stopped_at(clock.now() + dt.timedelta(days=1)):
        actions.set_active(name=helper.name, is_active=True, by=operator)
        assert not is_in(browser)
        signed_in(helper)
    assert is_in(other)


def test_a_new_password_ends_sessions_and_a_weak_one_changes_nothing(operator: Login) -> None:
    browser = signed_in(operator)
    with pytest.raises(WeakPassword):
        actions.change_password(name=operator.name, password="12345")
    assert is_in(browser)
    actions.change_password(name=operator.name, password="another long one", by=operator)
    assert not is_in(browser)


def test_what_staff_do_is_written_down_with_who_did_it(operator: Login) -> None:
    actions.open_login(name="小王", password=make.PASSWORD, by=operator)
    actions.set_role(name="小王", role="agent", by=operator)
    actions.set_role(name="小王", role="agent", by=operator)  # already so: nothing to write
    actions.set_active(name="小王", is_active=False, by=None)
    acts = [(act.verb, act.by, act.detail) for act in queries.staff_acts(about="小王")]
    assert acts == [
        ("login.close", None, {}),
        ("login.role", operator, {"role": "agent"}),
        ("login.open", operator, {"role": "operator"}),
    ]
    assert [act.verb for act in queries.staff_acts(limit=1)] == ["login.close"]
    assert make.PASSWORD not in str(list(StaffAct.objects.values()))


@pytest.mark.parametrize(
    "statement", ["UPDATE people_staff_act SET verb = 'x'", "DELETE FROM people_staff_act"]
)
def test_an_act_cannot_be_changed_or_removed(operator: Login, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="appended"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert queries.staff_acts()[0].verb == "login.open"


def test_whether_a_second_factor_is_asked_for_is_a_policy_with_versions(operator: Login) -> None:
    assert queries.policy().is_totp_required is True
    first = queries.policy().version
    actions.set_totp_required(is_required=False, by=operator)
    assert queries.policy().is_totp_required is False
    assert queries.policy().version > first
    assert queries.staff_acts()[0].detail == {"is_totp_required": False}
