"""What can be done to members, what they allow, and the logins of those who work here."""

from liuke.people.actions.acts import record_act
from liuke.people.actions.codes import check_login_code, prune_codes, send_login_code
from liuke.people.actions.consent import (
    attest_consent,
    change_consent,
    end_attestation,
    extend_attestations,
)
from liuke.people.actions.email import confirm_email, remove_email, send_email_code
from liuke.people.actions.enrol import ENROLLED, enrol
from liuke.people.actions.erase import erase_member
from liuke.people.actions.logins import change_password, open_login, set_active, set_role
from liuke.people.actions.profile import (
    set_birthday,
    set_phone,
    set_quiet_hours,
    set_time_zone,
)
from liuke.people.actions.second_factor import (
    TotpSetup,
    begin_totp,
    check_second_factor,
    confirm_totp,
    drop_totp,
    renew_recovery_codes,
    set_totp_required,
)

__all__ = [
    "ENROLLED",
    "TotpSetup",
    "attest_consent",
    "begin_totp",
    "change_consent",
    "change_password",
    "check_login_code",
    "check_second_factor",
    "confirm_email",
    "confirm_totp",
    "drop_totp",
    "end_attestation",
    "enrol",
    "erase_member",
    "extend_attestations",
    "open_login",
    "prune_codes",
    "record_act",
    "remove_email",
    "renew_recovery_codes",
    "send_email_code",
    "send_login_code",
    "set_active",
    "set_birthday",
    "set_phone",
    "set_quiet_hours",
    "set_role",
    "set_time_zone",
    "set_totp_required",
]
