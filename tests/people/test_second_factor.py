"""Authenticator codes: proven first, each once, few wrong ones; recovery codes; nothing to read in what is kept."""

from __future__ import annotations

import base64
import datetime as dt
from contextlib import AbstractContextManager

import pyotp
import pytest

from liuke.base import clock, sealing
from liuke.people import actions, queries
from liuke.people.errors import AuthenticatorInUse, NoAuthenticator, TooManyWrongCodes, WrongCode
from liuke.people.models import Login, RecoveryCode, StaffAct
from tests.conftest import NOON
from tests.people import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def later(seconds: int) -> AbstractContextManager[None]:
    return clock.stopped_at(NOON + dt.timedelta(seconds=seconds))


def check(login: Login, code: str) -> bool:
    try:
        actions.check_second_factor(login=login, code=code)
    except WrongCode:
        return False
    return True


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238(moment: int, code: str) -> None:
    """Appendix B, SHA-1, the last six of eight digits."""
    login = make.agent()
    secret = base64.b32encode(b"12345678901234567890").decode()
    Login.objects.update(totp_sealed=sealing.seal(secret, "people.totp"))
    with clock.stopped_at(dt.datetime.fromtimestamp(moment, dt.UTC)):
        assert len(actions.confirm_totp(login=login, code=code)) == 10


def test_the_setup_is_the_same_until_it_is_proven_and_refused_after() -> None:
    login = make.agent("小王")
    with pytest.raises(NoAuthenticator):
        actions.confirm_totp(login=login, code="000000")
    setup = actions.begin_totp(login=login)
    assert actions.begin_totp(login=login) == setup
    assert len(base64.b32decode(setup.secret)) == 20
    parsed = pyotp.parse_uri(setup.uri)
    assert (parsed.name, parsed.secret, parsed.issuer) == ("小王", setup.secret, "留客")
    assert setup.svg.startswith("<svg ")
    assert "style=" not in setup.svg
    codes = actions.confirm_totp(login=login, code=make.code_of(setup.secret))
    assert len(set(codes)) == 10
    with pytest.raises(AuthenticatorInUse):
        actions.begin_totp(login=login)
    with pytest.raises(AuthenticatorInUse):
        actions.confirm_totp(login=login, code=make.code_of(setup.secret, 30))
    assert queries.recovery_codes_left(login) == 10


def test_no_authenticator_is_no_open_door() -> None:
    login = make.agent()
    assert not check(login, "000000")
    setup = actions.begin_totp(login=login)
    assert not check(login, make.code_of(setup.secret)), "begun is not proven"


def test_a_code_is_good_once_and_so_is_every_earlier_one() -> None:
    login = make.agent()
    secret, _ = make.with_totp(login)
    assert not check(login, make.code_of(secret)), "the one that proved it is spent"
    assert check(login, make.code_of(secret, 30))
    assert not check(login, make.code_of(secret, 30))
    with later(600):
        shown = make.code_of(secret)
        assert check(login, shown)
        assert not check(login, make.code_of(secret, -30)), "older than the last"
        assert not check(login, shown)


@pytest.mark.parametrize(("drift", "good"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_may_be_thirty_seconds_off(drift: int, good: bool) -> None:
    login = make.agent()
    secret, _ = make.with_totp(login)
    with later(600):
        assert check(login, make.code_of(secret, drift)) is good


def test_codes_may_be_typed_with_spaces_and_full_width() -> None:
    login = make.agent()
    secret, _ = make.with_totp(login)
    with later(600):
        code = make.code_of(secret)
        wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
        assert check(login, f" {wide[:3]} {wide[3:]} ")


def test_five_wrong_codes_in_any_15_minutes_and_no_more() -> None:
    login = make.agent()
    secret, recovery = make.with_totp(login)
    for minute in range(5):
        with later(600 + minute * 60):
            assert not check(login, "000000")
    with later(600 + 899):
        for code in (make.code_of(secret), recovery[0], "000000"):
            with pytest.raises(TooManyWrongCodes) as refused:
                actions.check_second_factor(login=login, code=code)
            assert "15" in str(refused.value)
    assert queries.recovery_codes_left(login) == 10
    with later(600 + 900):  # the first of the five is 15 minutes old, and only that one
        assert not check(login, "000000")
        with pytest.raises(TooManyWrongCodes):
            actions.check_second_factor(login=login, code=make.code_of(secret))
    with later(600 + 1860):
        assert check(login, make.code_of(secret))


def test_proving_is_limited_too() -> None:
    login = make.agent()
    secret = actions.begin_totp(login=login).secret
    for _ in range(5):
        with pytest.raises(WrongCode):
            actions.confirm_totp(login=login, code="000000")
    with pytest.raises(TooManyWrongCodes):
        actions.confirm_totp(login=login, code=make.code_of(secret))
    login.refresh_from_db()
    assert login.totp_since is None


def test_a_recovery_code_opens_once_however_it_is_typed() -> None:
    login, other = make.agent("a"), make.agent("b")
    _, codes = make.with_totp(login)
    _, others = make.with_totp(other)
    assert check(login, codes[0].lower().replace("-", " "))
    assert not check(login, codes[0])
    assert not check(login, others[0]), "somebody else's"
    assert not check(login, "")
    assert queries.recovery_codes_left(login) == 9
    assert queries.recovery_codes_left(other) == 10


def test_dropping_forgets_secret_and_codes_and_ends_sessions(operator: Login) -> None:
    login = make.agent()
    secret, codes = make.with_totp(login)
    before = Login.objects.get(pk=login.pk).get_session_auth_hash()
    actions.drop_totp(name=login.name, by=operator)
    login.refresh_from_db()
    assert (login.totp_sealed, login.totp_since, RecoveryCode.objects.count()) == (None, None, 0)
    assert login.get_session_auth_hash() != before
    assert not check(login, codes[0])
    again, _ = make.with_totp(login)
    assert again != secret
    assert [act.verb for act in queries.staff_acts(about=login.name)] == [
        "login.prove_totp",
        "login.drop_totp",
        "login.prove_totp",
        "login.open",
    ]


@pytest.fixture
def kept() -> tuple[str, list[str], str]:
    login = make.agent()
    setup = actions.begin_totp(login=login)
    codes = actions.confirm_totp(login=login, code=make.code_of(setup.secret))
    rows = [*Login.objects.values(), *RecoveryCode.objects.values(), *StaffAct.objects.values()]
    return setup.secret, codes, f"{rows} {setup!r}"


def test_neither_secret_nor_code_can_be_read_in_rows_or_reprs(
    kept: tuple[str, list[str], str],
) -> None:
    secret, codes, text = kept
    for hidden in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert hidden not in text
