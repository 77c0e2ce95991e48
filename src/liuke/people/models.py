"""Members and those who work here; what members allow, and what staff did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from cryptography.exceptions import InvalidTag
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from liuke.base import sealing
from liuke.people.rules import (
    BASES,
    BEHAVIOUR,
    CALENDARS,
    CHANNELS,
    CODE_KINDS,
    CODE_TRIES,
    EMAIL_PURPOSE,
    PHONE_PURPOSE,
    PURPOSES,
    ROLES,
    SITE_SOURCE,
    STAFF_ROLES,
    ZONE_ORIGINS,
    is_blind_index,
    mask_email,
    mask_phone,
)


class Member(models.Model):
    """Someone who buys, as one source knows them. `external_id` is what they are called there.

    `person` is the first member known by the same phone number (themselves when there is none): caps, consent and
    hold-outs count persons. A number is sealed in `phone_sealed` and found by its blind index; where the source calls
    people by number, `external_id` is that index, so that the plain number stands in no table.
    """

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey("self", models.PROTECT, db_constraint=False, related_name="+")
    reference = models.CharField(max_length=16, unique=True)
    source = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128)
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.CharField(max_length=32, null=True)  # noqa: DJ001 - absent is not empty
    email_sealed = models.BinaryField(null=True)
    email_index = models.CharField(max_length=32, null=True)  # noqa: DJ001
    email_confirmed_at = models.DateTimeField(null=True)
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    time_zone_from = models.CharField(max_length=8, blank=True, default="", db_default="")
    birth_month = models.PositiveSmallIntegerField(null=True)
    birth_day = models.PositiveSmallIntegerField(null=True)
    birth_calendar = models.CharField(max_length=8, blank=True, default="", db_default="")
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    sessions_from = models.DateTimeField(null=True)
    enrolled_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_member"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], name="one_member_per_source_and_id"
            ),
            models.CheckConstraint(
                condition=~Q(external_id__regex=r"^(\+?86)?1[3-9][0-9]{9}$"),
                name="no_plain_phone_number",
            ),
            models.UniqueConstraint(
                fields=["phone_index"],
                condition=Q(phone_index__isnull=False, person=F("id")),
                name="one_person_per_phone",
            ),
            models.CheckConstraint(
                condition=Q(phone_sealed__isnull=True, phone_index__isnull=True)
                | Q(phone_sealed__isnull=False, phone_index__isnull=False),
                name="a_sealed_phone_can_be_found",
            ),
            models.CheckConstraint(
                condition=Q(email_sealed__isnull=True, email_index__isnull=True)
                | Q(email_sealed__isnull=False, email_index__isnull=False),
                name="a_sealed_email_can_be_found",
            ),
            models.CheckConstraint(
                condition=Q(time_zone="", time_zone_from="")
                | Q(~Q(time_zone=""), time_zone_from__in=ZONE_ORIGINS),
                name="a_time_zone_says_where_from",
            ),
            models.CheckConstraint(
                condition=Q(birth_month=None, birth_day=None, birth_calendar="")
                | Q(
                    birth_month__range=(1, 12),
                    birth_day__range=(1, 31),
                    birth_calendar__in=CALENDARS,
                ),
                name="a_birthday_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False)
                & ~Q(quiet_from=F("quiet_until")),
                name="quiet_hours_are_whole",
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None)
                | Q(phone_sealed=None, email_sealed=None, birth_month=None, quiet_from=None)
                & Q(time_zone="", external_id__startswith="erased:"),
                name="an_erased_member_has_no_face",
            ),
        ]
        indexes = [
            models.Index(
                fields=["phone_index"],
                name="member_by_phone",
                condition=Q(phone_index__isnull=False),
            ),
            models.Index(
                fields=["email_index"],
                name="member_by_email",
                condition=Q(email_index__isnull=False),
            ),
            models.Index(fields=["person"], name="member_by_person"),
            models.Index(
                fields=["source"], name="erased_by_source", condition=Q(erased_at__isnull=False)
            ),
        ]

    @property
    def name(self) -> str:
        """What staff call this member: the masked phone number, or the name in the imported log.

        An erased member has no name left and is called by the reference.
        """
        if self.erased_at is not None:
            return self.reference
        is_known_by_phone = self.source == SITE_SOURCE or is_blind_index(self.external_id)
        if self.phone_sealed is not None and is_known_by_phone:
            return self.masked_phone
        return self.external_id

    @property
    def masked_phone(self) -> str:
        """The number as staff see it; "" when there is none."""
        return _masked(self.phone, mask_phone) if self.phone_sealed else ""

    @property
    def masked_email(self) -> str:
        """The e-mail address as staff see it; "" when there is none."""
        return _masked(self.email, mask_email) if self.email_sealed else ""

    def phone(self) -> str:
        """The number in plain, 11 digits; "" when there is none. For channels and the member's own page only."""
        return sealing.unseal(bytes(self.phone_sealed), PHONE_PURPOSE) if self.phone_sealed else ""

    def email(self) -> str:
        """The e-mail address in plain; "" when there is none. For channels and the member's own page only."""
        return sealing.unseal(bytes(self.email_sealed), EMAIL_PURPOSE) if self.email_sealed else ""


def _masked(read: Callable[[], str], mask: Callable[[str], str]) -> str:
    """`***` for what another master key has sealed: a site restored without its own still shows its pages."""
    try:
        return mask(read())
    except InvalidTag:
        return "***"


class Consent(models.Model):
    """Whether a person may be reached, now. Written by the trigger on `ConsentChange` and by nobody else.

    `change` is the last row of the history that says so.
    """

    pk = models.CompositePrimaryKey("person_id", "channel", "purpose")
    person = models.ForeignKey(Member, models.CASCADE, db_constraint=False, db_index=False)
    channel = models.CharField(max_length=8)
    purpose = models.CharField(max_length=10)
    is_given = models.BooleanField()
    since = models.DateTimeField()
    change = models.ForeignKey(
        "people.ConsentChange", models.PROTECT, db_constraint=False, db_index=False
    )

    class Meta:
        db_table = "people_consent"


class Attestation(models.Model):
    """The operator's word that a source's members agreed elsewhere; it covers later imports too, until `ended_at`."""

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=64)
    channel = models.CharField(max_length=8)
    purpose = models.CharField(max_length=10)
    statement = models.CharField(max_length=500)
    by = models.ForeignKey("people.Login", models.PROTECT, null=True, related_name="+")
    attested_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_attestation"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "channel", "purpose"],
                condition=Q(ended_at=None),
                name="one_attestation_in_force",
            ),
            models.CheckConstraint(condition=~Q(statement=""), name="an_attestation_says_how"),
            models.CheckConstraint(
                condition=Q(channel__in=CHANNELS, purpose__in=PURPOSES),
                name="attested_for_a_known_channel",
            ),
        ]


class ConsentChange(models.Model):
    """The history of consent, only ever appended to: who said yes or no, to what, on what basis, shown which words."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Member, models.CASCADE, db_constraint=False, db_index=False)
    channel = models.CharField(max_length=8)
    purpose = models.CharField(max_length=10)
    is_given = models.BooleanField()
    basis = models.CharField(max_length=10)
    words = models.CharField(max_length=500, blank=True, default="")
    attestation = models.ForeignKey(
        Attestation, models.PROTECT, null=True, db_constraint=False, db_index=False
    )
    by = models.ForeignKey(
        "people.Login", models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        db_table = "people_consent_change"
        constraints = [
            models.CheckConstraint(
                condition=Q(basis__in=BASES)
                & (
                    Q(channel__in=CHANNELS, purpose__in=PURPOSES)
                    | Q(channel=BEHAVIOUR[0], purpose=BEHAVIOUR[1])
                ),
                name="consent_in_known_words",
            ),
            models.CheckConstraint(
                condition=~Q(basis="attested") | Q(is_given=True, attestation__isnull=False),
                name="an_attested_yes_names_its_word",
            ),
            models.CheckConstraint(
                condition=~Q(basis="one_click", is_given=True), name="one_click_only_says_no"
            ),
        ]
        indexes = [models.Index(fields=["person", "id"], name="consent_change_by_person")]


class LoginCode(models.Model):
    """A six-digit code that was sent: hashed, short-lived, of few tries, and part of the count of what may be sent.

    One for a phone is bound to the device that asked, one for an e-mail address to the person who is signed in.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=8)
    address_index = models.CharField(max_length=32)
    code_hash = models.CharField(max_length=64)
    person = models.ForeignKey(
        Member, models.CASCADE, null=True, db_constraint=False, db_index=False
    )
    network = models.CharField(max_length=64)
    device = models.CharField(max_length=32)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_login_code"
        constraints = [
            models.CheckConstraint(condition=Q(tries__lte=CODE_TRIES), name="a_code_has_few_tries"),
            models.CheckConstraint(
                condition=Q(kind__in=CODE_KINDS)
                & (Q(kind="phone", person=None) | Q(kind="email", person__isnull=False)),
                name="a_code_is_bound",
            ),
        ]
        indexes = [
            models.Index(fields=["address_index", "-id"], name="code_by_address"),
            models.Index(fields=["-sent_at"], name="code_by_time"),
        ]


class LoginManager(BaseUserManager["Login"]):
    """How Django finds a login; logins are made by `people.actions.open_login`."""

    def get_by_natural_key(self, username: str | None) -> Login:
        return self.get(name=username)


class Login(AbstractBaseUser):
    """Someone who works here, or for a merchant, and may sign in. `totp_since` is set once the authenticator is proven.

    `wrong_codes_at` holds the last few wrong second factors, so that guessing can be counted over any 15 minutes.
    """

    name = models.CharField(_("Name"), max_length=64, unique=True)
    role = models.CharField(max_length=10, default="operator")
    is_active = models.BooleanField(default=True)
    opened_at = models.DateTimeField()
    totp_sealed = models.BinaryField(null=True)
    totp_since = models.DateTimeField(null=True)
    totp_step = models.BigIntegerField(default=0)
    wrong_codes_at = ArrayField(models.DateTimeField(), default=list)
    sessions_from = models.DateTimeField(null=True)

    objects: ClassVar[LoginManager] = LoginManager()

    USERNAME_FIELD = "name"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "people_login"
        constraints = [
            models.CheckConstraint(condition=Q(role__in=ROLES), name="login_has_a_known_role"),
            models.CheckConstraint(
                condition=Q(totp_since=None) | Q(totp_sealed__isnull=False),
                name="a_proven_authenticator_has_its_secret",
            ),
        ]

    @property
    def is_operator(self) -> bool:
        """Whether this login may do everything; an agent answers calls and cares for members."""
        return self.role == "operator"

    @property
    def is_staff(self) -> bool:
        """Whether this login may enter the console at all; who works for a merchant may not."""
        return self.role in STAFF_ROLES

    def get_session_auth_hash(self) -> str:
        """What a session must know to stay signed in: another password or `sessions_from` ends it."""
        known = f"{self.password}|{self.sessions_from}"
        return salted_hmac("liuke.people.Login", known, algorithm="sha256").hexdigest()

    def has_perm(self, _permission: str, _thing: Any = None) -> bool:
        """No permission system of Django's is used: interfaces ask for the role."""
        return False

    def has_module_perms(self, _label: str) -> bool:
        return False


class RecoveryCode(models.Model):
    """One of the codes that open the door once when the authenticator is lost; hashed."""

    id = models.BigAutoField(primary_key=True)
    login = models.ForeignKey(Login, models.CASCADE)
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_recovery_code"
        constraints = [
            models.UniqueConstraint(fields=["login", "code_hash"], name="recovery_codes_differ"),
        ]


class StaffPolicy(models.Model):
    """What the door asks of those who work here; the highest version is in force."""

    version = models.AutoField(primary_key=True)
    is_totp_required = models.BooleanField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "people_staff_policy"


class StaffAct(models.Model):
    """What someone who works here did, only ever appended to. `by` is null for the command line."""

    id = models.BigAutoField(primary_key=True)
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=40)
    about = models.CharField(max_length=80, blank=True, default="")
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        db_table = "people_staff_act"
        indexes = [models.Index(fields=["about", "-id"], name="act_by_what_it_is_about")]
