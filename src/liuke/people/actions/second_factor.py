"""The second factor of those who work here: a code of an authenticator app (RFC 6238), or a recovery code."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pyotp
import segno
from django.conf import settings
from django.db import transaction

from liuke.base import clock, ids, sealing
from liuke.base.errors import Refusal
from liuke.people.actions.acts import record_act
from liuke.people.actions.logins import locked_login
from liuke.people.errors import (
    AuthenticatorInUse,
    NoAuthenticator,
    TooManyWrongCodes,
    WrongCode,
)
from liuke.people.models import Login, RecoveryCode, StaffPolicy
from liuke.people.rules import (
    RECOVERY_CODES,
    RECOVERY_PURPOSE,
    TOTP_PURPOSE,
    WRONG_CODES_MAX,
    WRONG_CODES_MINUTES,
    read_code,
)

Answer = TypeVar("Answer")

SECRET_BYTES = 20  # RFC 4226 asks for 160 bits
STEP_SECONDS = 30
RECOVERY_LETTERS = 9  # and a check letter: 43 bits, with five tries in 15 minutes


@dataclass(frozen=True)
class TotpSetup:
    """What an authenticator app needs, shown until the first code proves that it has it."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    svg: str = field(repr=False)


@transaction.atomic
def begin_totp(*, login: Login) -> TotpSetup:
    """Make a secret for an authenticator; the same one again until it is proven.

    Raises:
        AuthenticatorInUse: one is proven; it has to be dropped first.
    """
    own = locked_login(login.name)
    if own.totp_since is not None:
        raise AuthenticatorInUse
    if own.totp_sealed is None:
        made = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
        own.totp_sealed = sealing.seal(made, TOTP_PURPOSE)
        own.save(update_fields=["totp_sealed"])
    totp = _totp(own)
    uri = totp.provisioning_uri(name=own.name, issuer_name=settings.LIUKE_SITE_NAME)
    picture = segno.make(uri, error="m", micro=False)
    svg = picture.svg_inline(scale=5, light="#fff", svgclass=None, lineclass=None)
    return TotpSetup(totp.secret, uri, svg)


def confirm_totp(*, login: Login, code: str) -> list[str]:
    """Prove the authenticator by its first code; the recovery codes, which are shown only now.

    Raises:
        AuthenticatorInUse: it was proven before.
        NoAuthenticator: none was begun.
        TooManyWrongCodes: wrong too often in the last minutes.
        WrongCode: not the code of now.
    """

    def prove(own: Login) -> list[str]:
        if own.totp_since is not None:
            raise AuthenticatorInUse
        if own.totp_sealed is None:
            raise NoAuthenticator
        _use_step(own, code)
        own.totp_since = clock.now()
        own.save(update_fields=["totp_since"])
        record_act(by=own, verb="login.prove_totp", about=own.name)
        return _new_recovery_codes(own)

    return _limited(login, prove)


def check_second_factor(*, login: Login, code: str) -> None:
    """Accept a code of the authenticator (30 seconds early or late, each only once) or an unused recovery code.

    Raises:
        TooManyWrongCodes: wrong too often in the last minutes.
        WrongCode: neither, or used before.
    """

    _limited(login, lambda own: _spend(own, code))


def renew_recovery_codes(*, login: Login, code: str) -> list[str]:
    """Fresh recovery codes for whoever has the second factor at hand; the old ones end.

    Raises:
        TooManyWrongCodes: wrong too often in the last minutes.
        WrongCode: neither a code of the authenticator nor an unused recovery code.
    """

    def renew(own: Login) -> list[str]:
        _spend(own, code)
        record_act(by=own, verb="login.recovery_codes", about=own.name)
        return _new_recovery_codes(own)

    return _limited(login, renew)


@transaction.atomic
def drop_totp(*, name: str, by: Login | None) -> None:
    """Forget an authenticator and its recovery codes; every session of that login ends.

    Raises:
        UnknownLogin: nobody signs in with this name.
    """
    login = locked_login(name)
    login.totp_sealed = login.totp_since = None
    login.totp_step, login.wrong_codes_at = 0, []
    login.sessions_from = clock.now()
    login.save(
        update_fields=["totp_sealed", "totp_since", "totp_step", "wrong_codes_at", "sessions_from"]
    )
    RecoveryCode.objects.filter(login=login).delete()
    record_act(by=by, verb="login.drop_totp", about=name)


@transaction.atomic
def set_totp_required(*, is_required: bool, by: Login | None) -> StaffPolicy:
    """Ask everyone who signs in for a second factor, or leave it to them."""
    policy = StaffPolicy.objects.create(is_totp_required=is_required, set_at=clock.now())
    record_act(by=by, verb="policy.staff", is_totp_required=is_required)
    return policy


def _limited(login: Login, attempt: Callable[[Login], Answer]) -> Answer:
    """Try with the login held. A wrong code is counted in a transaction that commits, whoever is told."""
    with transaction.atomic(durable=True):
        own = locked_login(login.name)
        now = clock.now()
        recent = [
            at for at in own.wrong_codes_at if now - at < dt.timedelta(minutes=WRONG_CODES_MINUTES)
        ]
        if len(recent) >= WRONG_CODES_MAX:
            raise TooManyWrongCodes(minutes=WRONG_CODES_MINUTES)
        try:
            return attempt(own)
        except WrongCode as wrong:
            own.wrong_codes_at = [*recent, now]
            own.save(update_fields=["wrong_codes_at"])
            refusal: Refusal = wrong
    raise refusal


def _spend(own: Login, code: str) -> None:
    """Use up a code of the authenticator, or a recovery code."""
    if own.totp_since is None:
        raise WrongCode
    if read_code(code) is not None:
        _use_step(own, code)
    else:
        _use_recovery_code(own, code)


def _totp(own: Login) -> pyotp.TOTP:
    return pyotp.TOTP(sealing.unseal(bytes(own.totp_sealed or b""), TOTP_PURPOSE))


def _use_step(own: Login, code: str) -> None:
    """Spend the 30 seconds a code stands for: one that is not newer than the last is refused."""
    digits = read_code(code) or ""
    totp, present = _totp(own), int(clock.now().timestamp()) // STEP_SECONDS
    steps = [
        step
        for step in (present - 1, present, present + 1)
        if hmac.compare_digest(totp.generate_otp(step), digits)
    ]
    newer = Login.objects.filter(pk=own.pk, totp_step__lt=max(steps, default=0))
    if not steps or not newer.update(totp_step=max(steps)):
        raise WrongCode


def _new_recovery_codes(own: Login) -> list[str]:
    codes = [ids.new_reference(RECOVERY_LETTERS) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(login=own).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(login=own, code_hash=_recovery_hash(own, code)) for code in codes
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _use_recovery_code(own: Login, code: str) -> None:
    read = ids.read_reference(code)
    unused = RecoveryCode.objects.filter(
        login=own, code_hash=_recovery_hash(own, read or ""), used_at=None
    )
    if read is None or not unused.update(used_at=clock.now()):
        raise WrongCode


def _recovery_hash(own: Login, code: str) -> str:
    return sealing.blind_index(f"{own.pk}:{code}", RECOVERY_PURPOSE)
