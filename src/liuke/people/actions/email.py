"""A member's e-mail address: kept once a code sent there came back."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext

from liuke.base import clock, ids, mail, sealing
from liuke.base.outside import Rejected
from liuke.people.actions.codes import Asking, issue_code, spend_code
from liuke.people.actions.profile import own_row
from liuke.people.errors import CodeNotSent, NotAnEmailAddress, WrongCode
from liuke.people.models import Member
from liuke.people.rules import CODE_MINUTES, EMAIL_PURPOSE


def send_email_code(*, member: Member, email: str, network: str, device: str) -> None:
    """Send a code to an address that the member says is theirs.

    Raises:
        CodeJustSent, TooManyCodes: a limit is reached; nothing was sent.
        CodeNotSent: the mail server did not take it.
        NotAnEmailAddress: no mail could be sent there.
    """
    address = _read(email)
    code = issue_code(Asking("email", _index(address), network, device, member.person_id))
    words = {"site": settings.LIUKE_SITE_NAME, "code": code, "minutes": CODE_MINUTES}
    outcome = mail.send(
        to=address,
        subject=gettext("%(site)s: confirm your e-mail address") % words,
        text=gettext("%(code)s is your code, valid for %(minutes)s minutes.") % words,
        headers={},
        reference=ids.new_reference(),
    )
    if isinstance(outcome, Rejected):
        raise CodeNotSent


def confirm_email(*, member: Member, email: str, code: str) -> None:
    """Keep the address, on the person's own row.

    Raises:
        ErasedMember: nothing is kept about them.
        NotAnEmailAddress: no mail could be sent there.
        WrongCode: wrong, late, used, tried too often, or asked for by someone else.
    """
    address = _read(email)
    asking = Asking("email", _index(address), "", "", member.person_id)
    with transaction.atomic(durable=True):
        is_right = spend_code(asking, code)
        if is_right:
            own = own_row(member)
            own.email_sealed = sealing.seal(address, EMAIL_PURPOSE)
            own.email_index = asking.address_index
            own.email_confirmed_at = clock.now()
            own.save(update_fields=["email_sealed", "email_index", "email_confirmed_at"])
    if not is_right:
        raise WrongCode


@transaction.atomic
def remove_email(*, member: Member) -> None:
    """Forget the address.

    Raises:
        ErasedMember: nothing is kept about them.
    """
    own = own_row(member)
    own.email_sealed = own.email_index = own.email_confirmed_at = None
    own.save(update_fields=["email_sealed", "email_index", "email_confirmed_at"])


def _read(email: str) -> str:
    address = email.strip()
    try:
        validate_email(address)
    except ValidationError as refused:
        raise NotAnEmailAddress from refused
    return address


def _index(address: str) -> str:
    return sealing.blind_index(address.lower(), EMAIL_PURPOSE)
