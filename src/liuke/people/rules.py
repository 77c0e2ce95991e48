"""What is a phone number, how is it shown, and in which words do we speak of roles, codes and consent?"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

PHONE_PURPOSE = "people.phone"
EMAIL_PURPOSE = "people.email"
TOTP_PURPOSE = "people.totp"
ERASED_PURPOSE = "people.erased"
CODE_PURPOSE = "people.code"
DEVICE_PURPOSE = "people.device"
RECOVERY_PURPOSE = "people.recovery"

SITE_SOURCE = "site"  # members who came by themselves, by phone number
ERASED_PREFIX = "erased:"

STAFF_ROLES = ("operator", "agent")  # who works in the console
ROLES = (*STAFF_ROLES, "merchant")  # a merchant works for a supplier, and has pages of their own
CHANNELS = ("list", "inbox", "sms", "email")  # list: a call-back list, or one taken elsewhere
PURPOSES = ("marketing", "service")  # marketing needs a yes; service is open until a no
BEHAVIOUR = ("site", "behaviour")  # what somebody does here may be noted until they say no
CONSENTS = (*((channel, purpose) for channel in CHANNELS for purpose in PURPOSES), BEHAVIOUR)
BASES = ("member", "attested", "agent", "one_click")  # who said it: see ConsentChange
CALENDARS = ("solar", "lunar")
ZONE_ORIGINS = ("member", "device", "source")  # the best first

CODE_KINDS = ("phone", "email")
CODE_MINUTES = 5
CODE_TRIES = 5
CODES_APART_SECONDS = 60
CODES_PER_ADDRESS_AN_HOUR = 5
CODES_PER_ADDRESS_A_DAY = 10
CODES_PER_NETWORK_AN_HOUR = 10
CODES_PER_NETWORK_A_DAY = 30
ADDRESSES_PER_DEVICE_A_DAY = 3
CODES_A_DAY = 2_000  # of one kind, for the whole site: a flood ends here
CODES_KEPT_DAYS = 30

WRONG_CODES_MAX = 5
WRONG_CODES_MINUTES = 15
RECOVERY_CODES = 10

_MAINLAND_MOBILE = re.compile(r"(?:\+?86[ -]?)?(1[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})", re.ASCII)
_BLIND_INDEX = re.compile(r"[0-9a-f]{32}")
_SIX_DIGITS = re.compile(r"[0-9]{6}")


def _half_width(text: str) -> str:
    """Digits typed full-width, as Chinese keyboards do, become plain ones."""
    return unicodedata.normalize("NFKC", text).strip()


def read_phone(text: str) -> str | None:
    """A mainland mobile number as 11 digits, however it was written; None when the text is not one."""
    found = _MAINLAND_MOBILE.fullmatch(_half_width(text))
    return "".join(found.groups()) if found else None


def mask_phone(digits: str) -> str:
    """`138****8000`: enough for a member to recognise, too little to call."""
    return f"{digits[:3]}****{digits[-4:]}"


def mask_email(address: str) -> str:
    """`l***@example.com`: enough for a member to recognise, too little to write to."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def is_blind_index(text: str) -> bool:
    """Whether a name can be the index of a phone number: nothing to show to anybody."""
    return _BLIND_INDEX.fullmatch(text) is not None


def read_code(text: str) -> str | None:
    """Six digits as typed, spaces forgiven; None when it is something else."""
    digits = "".join(_half_width(text).split())
    return digits if _SIX_DIGITS.fullmatch(digits) else None


def network_of(address: str) -> str:
    """Who shares a limit: an IPv4 address by itself, an IPv6 address with its whole /64, anything else as it is."""
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return address.strip()[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))
