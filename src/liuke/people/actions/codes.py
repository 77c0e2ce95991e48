"""Six-digit codes: sent to a phone or an e-mail address, few and short-lived, and tried a few times only.

How many may be sent is counted in the database, one sender after the other: whoever asks many times at once gets no
more than who asks slowly.
"""

from __future__ import annotations

import datetime as dt
import hmac
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext

from liuke.base import chance, clock, ids, sealing, sms
from liuke.base.outside import Rejected
from liuke.people.errors import (
    CodeJustSent,
    CodeNotSent,
    NotAPhoneNumber,
    TooManyCodes,
    WrongCode,
)
from liuke.people.models import LoginCode, Member
from liuke.people.rules import (
    ADDRESSES_PER_DEVICE_A_DAY,
    CODE_MINUTES,
    CODE_PURPOSE,
    CODE_TRIES,
    CODES_A_DAY,
    CODES_APART_SECONDS,
    CODES_KEPT_DAYS,
    CODES_PER_ADDRESS_A_DAY,
    CODES_PER_ADDRESS_AN_HOUR,
    CODES_PER_NETWORK_A_DAY,
    CODES_PER_NETWORK_AN_HOUR,
    DEVICE_PURPOSE,
    PHONE_PURPOSE,
    SITE_SOURCE,
    network_of,
    read_code,
    read_phone,
)

_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('people.codes'))"
# One pass over the last day's codes of a kind: CODES_A_DAY rows at most, because it is counted here.
_COUNT = """
SELECT count(*) FILTER (WHERE address_index = %(address)s AND sent_at > %(just)s),
       count(*) FILTER (WHERE address_index = %(address)s AND sent_at > %(hour)s),
       count(*) FILTER (WHERE address_index = %(address)s),
       count(*) FILTER (WHERE network = %(network)s AND sent_at > %(hour)s),
       count(*) FILTER (WHERE network = %(network)s),
       count(DISTINCT address_index) FILTER (WHERE device = %(device)s AND address_index <> %(address)s),
       count(*)
FROM people_login_code WHERE kind = %(kind)s AND sent_at > %(day)s
"""
_MOST = (
    CODES_PER_ADDRESS_AN_HOUR,
    CODES_PER_ADDRESS_A_DAY,
    CODES_PER_NETWORK_AN_HOUR,
    CODES_PER_NETWORK_A_DAY,
    ADDRESSES_PER_DEVICE_A_DAY,
    CODES_A_DAY,
)
_JOIN_THE_SITE = """
INSERT INTO people_member (id, person_id, reference, source, external_id, phone_sealed, phone_index, enrolled_at)
SELECT id, id, %(reference)s, %(source)s, %(reference)s, %(sealed)s, %(index)s, %(now)s
FROM (SELECT nextval(pg_get_serial_sequence('people_member', 'id')) AS id) AS fresh
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Asking:
    """Who asks for a code: for which address, from which network and device, signed in as which person."""

    kind: str
    address_index: str
    network: str = field(repr=False)
    device: str = field(repr=False)
    person_id: int | None = None


def send_login_code(*, phone: str, network: str, device: str) -> None:
    """Send a code to a number, whether or not a member has it; the answer is the same.

    `network` is the visitor's address, `device` what tells their browser from others (any text).

    Raises:
        CodeJustSent, TooManyCodes: a limit is reached; nothing was sent.
        CodeNotSent: the provider did not take it.
        NotAPhoneNumber: not a mainland mobile number.
    """
    digits = read_phone(phone)
    if digits is None:
        raise NotAPhoneNumber
    index = sealing.blind_index(digits, PHONE_PURPOSE)
    code = issue_code(Asking("phone", index, network, device))
    text = gettext(
        "【%(site)s】%(code)s is your code, valid for %(minutes)s minutes. Do not tell it to anyone."
    ) % {"site": settings.LIUKE_SITE_NAME, "code": code, "minutes": CODE_MINUTES}
    outcome = sms.gateway().send(phone=digits, text=text, reference=ids.new_reference())
    if isinstance(outcome, Rejected):
        raise CodeNotSent


def check_login_code(*, phone: str, code: str, device: str) -> Member:
    """Spend a code on the device that asked for it; the person who has the number, made now if there is none.

    Raises:
        WrongCode: wrong, late, used, tried too often, or asked for elsewhere.
    """
    digits = read_phone(phone) or ""
    index = sealing.blind_index(digits, PHONE_PURPOSE)
    with transaction.atomic(durable=True):
        is_right = spend_code(Asking("phone", index, "", device), code)
        member = _person_with(digits, index) if is_right else None
    if member is None:
        raise WrongCode
    return member


def issue_code(asking: Asking) -> str:
    """Count, then write down a new code, committed before anything is sent; the code in plain.

    Raises:
        CodeJustSent, TooManyCodes: a limit is reached; nothing was written.
    """
    code = f"{chance.source().randrange(10**6):06d}"
    with transaction.atomic(durable=True):
        _take_turns()
        now = clock.now()
        _check_limits(asking, now)
        LoginCode.objects.create(
            kind=asking.kind,
            address_index=asking.address_index,
            code_hash=_hash(asking, code),
            person_id=asking.person_id,
            network=network_of(asking.network),
            device=_device(asking),
            sent_at=now,
            expires_at=now + dt.timedelta(minutes=CODE_MINUTES),
        )
    return code


def spend_code(asking: Asking, code: str) -> bool:
    """Whether the code is the last one sent to whoever asks, in time and unused. A wrong try is counted.

    Inside a transaction that the caller commits, whatever the answer.
    """
    sent = LoginCode.objects.select_for_update(no_key=True).filter(
        kind=asking.kind, address_index=asking.address_index, person_id=asking.person_id
    )
    if asking.person_id is None:
        sent = sent.filter(device=_device(asking))
    last, now = sent.order_by("-id").first(), clock.now()
    if last is None or last.used_at or last.tries >= CODE_TRIES or now >= last.expires_at:
        return False
    is_right = hmac.compare_digest(last.code_hash, _hash(asking, read_code(code) or ""))
    last.tries += 1
    last.used_at = now if is_right else None
    last.save(update_fields=["tries", "used_at"])
    return is_right


def prune_codes() -> int:
    """Forget codes older than a month, with the networks they were asked from; how many."""
    before = clock.now() - dt.timedelta(days=CODES_KEPT_DAYS)
    forgotten, _ = LoginCode.objects.filter(sent_at__lt=before).delete()
    return forgotten


def _take_turns() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURNS)


def _check_limits(asking: Asking, now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            {
                "kind": asking.kind,
                "address": asking.address_index,
                "network": network_of(asking.network),
                "device": _device(asking),
                "just": now - dt.timedelta(seconds=CODES_APART_SECONDS),
                "hour": now - dt.timedelta(hours=1),
                "day": now - dt.timedelta(days=1),
            },
        )
        just_sent, *sent = cursor.fetchone()
    if just_sent:
        raise CodeJustSent
    if any(count >= most for count, most in zip(sent, _MOST, strict=True)):
        raise TooManyCodes


def _device(asking: Asking) -> str:
    return sealing.blind_index(asking.device, DEVICE_PURPOSE)


def _hash(asking: Asking, code: str) -> str:
    return sealing.blind_index(f"{asking.kind}:{asking.address_index}:{code}", CODE_PURPOSE)


def _person_with(digits: str, index: str) -> Member:
    """Whoever has the number; where nobody has, a new member, and of two at once the first."""
    known = Member.objects.filter(phone_index=index).values("person_id")[:1]
    living = Member.objects.select_for_update(no_key=True).filter(pk__in=known, erased_at=None)
    person = living.first()
    if person is None:
        with connection.cursor() as cursor:
            cursor.execute(
                _JOIN_THE_SITE,
                {
                    "reference": ids.new_reference(),
                    "source": SITE_SOURCE,
                    "sealed": sealing.seal(digits, PHONE_PURPOSE),
                    "index": index,
                    "now": clock.now(),
                },
            )
        person = living.get()
    return person
