"""Members and logins. A member may exist without a login: imported people have none."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from liuke.base import sealing
from liuke.people.rules import PHONE_PURPOSE, mask_phone


class Member(models.Model):
    """A person who buys. `source` says where we know them from, `external_id` what they are called there.

    A member known by phone has the number sealed; `external_id` is then its blind index, so that the plain
    number stands in no table.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    source = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128)
    phone_sealed = models.BinaryField(null=True)
    enrolled_at = models.DateTimeField()

    class Meta:
        db_table = "people_member"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], name="one_member_per_source_and_id"
            ),
            models.CheckConstraint(
                condition=~models.Q(external_id__regex=r"^(\+?86)?1[3-9][0-9]{9}$"),
                name="no_plain_phone_number",
            ),
        ]

    @property
    def name(self) -> str:
        """What staff call this member: the masked phone number, or the name in the imported log."""
        if self.phone_sealed is not None:
            return mask_phone(sealing.unseal(bytes(self.phone_sealed), PHONE_PURPOSE))
        return self.external_id


class LoginManager(BaseUserManager["Login"]):
    """How Django finds a login; logins are made by `people.actions.open_login`."""

    def get_by_natural_key(self, username: str | None) -> Login:
        return self.get(name=username)


class Login(AbstractBaseUser):
    """Someone who may sign in to the console."""

    name = models.CharField(_("Name"), max_length=64, unique=True)
    is_active = models.BooleanField(default=True)
    opened_at = models.DateTimeField()

    objects: ClassVar[LoginManager] = LoginManager()

    USERNAME_FIELD = "name"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "people_login"

    def has_perm(self, _permission: str, _thing: Any = None) -> bool:
        """No permission system of Django's is used; roles come with the staff accounts."""
        return False

    def has_module_perms(self, _label: str) -> bool:
        return False
