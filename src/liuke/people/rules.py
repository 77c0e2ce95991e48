"""What is a phone number, and how is it shown?"""

from __future__ import annotations

import re

PHONE_PURPOSE = "people.phone"
_MAINLAND_MOBILE = re.compile(r"(?:\+?86[ -]?)?(1[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})")


def read_phone(text: str) -> str | None:
    """A mainland mobile number as 11 digits, however it was written; None when the text is not one."""
    found = _MAINLAND_MOBILE.fullmatch(text.strip())
    return "".join(found.groups()) if found else None


def mask_phone(digits: str) -> str:
    """`138****8000`: enough for a member to recognise, too little to call."""
    return f"{digits[:3]}****{digits[-4:]}"
