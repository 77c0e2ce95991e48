"""`liuke operator` and `liuke member` on the test database."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from liuke.interfaces.cli.commands import commands
from liuke.people import queries
from liuke.people.errors import LastOperator, UnknownLogin, UnknownMember
from liuke.people.models import Login, Member
from tests.people import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def liuke(*words: object, stdin: str | None = None) -> Result:
    name, *rest = (str(word) for word in words)
    return CliRunner().invoke(commands[name], rest, input=stdin, obj={"serve": None})


def done(*words: object, stdin: str | None = None) -> str:
    result = liuke(*words, stdin=stdin)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.stdout


def test_a_login_is_opened_with_a_role_changed_closed_and_opened_again() -> None:
    done("operator", "open", "店长")
    done("operator", "open", "小王", "--role", "agent")
    assert [(login.name, login.role) for login in queries.logins()] == [
        ("店长", "operator"),
        ("小王", "agent"),
    ]
    assert done("operator", "role", "小王", "operator") == "小王 is an operator.\n"
    assert done("operator", "close", "店长") == "店长 can no longer sign in.\n"
    assert isinstance(liuke("operator", "close", "小王").exception, LastOperator)
    assert isinstance(liuke("operator", "role", "小王", "agent").exception, LastOperator)
    done("operator", "reopen", "店长")
    assert all(login.is_active for login in queries.logins())
    assert liuke("operator", "role", "小王", "root").exit_code == 2
    assert isinstance(liuke("operator", "close", "x").exception, UnknownLogin)


def test_a_lost_authenticator_is_dropped() -> None:
    login = make.agent("小王")
    assert done("operator", "totp", "小王") == "小王: no authenticator\n"
    make.with_totp(login)
    assert done("operator", "totp", "小王") == "小王: since 2026-03-15\n"
    done("operator", "totp", "小王", "--drop")
    assert Login.objects.get(name="小王").totp_sealed is None


def test_the_first_operator_is_opened_once() -> None:
    assert "Sign in as operator with: " in done("operator", "first")
    assert done("operator", "first") == ""
    assert Login.objects.get().role == "operator"


def test_everything_about_a_member_is_printed_as_json() -> None:
    member = make.member("13800008000")
    told = json.loads(done("member", "export", member.reference.lower()))
    shop = {"membership", "orders", "payments", "delivery"}
    assert told.keys() == {"people", "analytics", "engagement", *shop}
    assert told["people"]["phone"] == "13800008000"
    assert told["analytics"].keys() == told["engagement"].keys() == {member.reference}
    assert queries.staff_acts(about=member.reference)[0].verb == "member.export"
    assert isinstance(liuke("member", "export", "22222").exception, UnknownMember)


def test_a_member_is_erased_only_when_it_is_meant() -> None:
    member = make.member("13800008000")
    asked = liuke("member", "erase", member.reference, stdin="n\n")
    assert asked.exit_code == 1
    assert "138****8000" in asked.output
    assert Member.objects.get().erased_at is None
    assert done("member", "erase", member.reference, "--yes") == f"{member.reference} is erased.\n"
    assert Member.objects.get().erased_at is not None
