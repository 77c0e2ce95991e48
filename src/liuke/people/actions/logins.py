"""Open a login for someone who works here, and change its password."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from liuke.base import clock
from liuke.people.errors import LoginNameTaken, UnknownLogin, WeakPassword
from liuke.people.models import Login


def _checked(password: str) -> str:
    try:
        validate_password(password)
    except ValidationError as refused:
        raise WeakPassword(reasons=" ".join(refused.messages)) from refused
    return password


def open_login(*, name: str, password: str) -> Login:
    """Give someone a name and a password to sign in with.

    Raises:
        LoginNameTaken: the name is in use.
        WeakPassword: too short or too common.
    """
    login = Login(name=name, opened_at=clock.now())
    login.set_password(_checked(password))
    with transaction.atomic():
        if Login.objects.filter(name=name).exists():
            raise LoginNameTaken(name=name)
        login.save(force_insert=True)
    return login


def change_password(*, name: str, password: str) -> None:
    """Replace a password; every session of that login ends.

    Raises:
        UnknownLogin: nobody signs in with this name.
        WeakPassword: too short or too common.
    """
    login = Login.objects.filter(name=name).first()
    if login is None:
        raise UnknownLogin(name=name)
    login.set_password(_checked(password))
    login.save(update_fields=["password"])
