"""What is a phone number, how is it shown, and in which words do we speak of roles and consent?"""

from __future__ import annotations

import re

PHONE_PURPOSE = "people.phone"
EMAIL_PURPOSE = "people.email"
TOTP_PURPOSE = "people.totp"

ROLES = ("operator", "agent")
CHANNELS = ("list", "inbox", "sms", "email")  # list: a call-back list, or one taken elsewhere
PURPOSES = ("marketing", "service")  # marketing needs a yes; service is open until a no
BASES = ("member", "attested", "agent", "one_click")  # who said it: see ConsentChange
CALENDARS = ("solar", "lunar")
ZONE_ORIGINS = ("member", "device", "source")

_MAINLAND_MOBILE = re.compile(r"(?:\+?86[ -]?)?(1[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})")


def read_phone(text: str) -> str | None:
    """A mainland mobile number as 11 digits, however it was written; None when the text is not one."""
    found = _MAINLAND_MOBILE.fullmatch(text.strip())
    return "".join(found.groups()) if found else None


def mask_phone(digits: str) -> str:
    """`138****8000`: enough for a member to recognise, too little to call."""
    return f"{digits[:3]}****{digits[-4:]}"
