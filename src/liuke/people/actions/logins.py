"""Open a login for someone who works here, change its password or role, close it."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from liuke.base import clock
from liuke.people.actions.acts import record_act
from liuke.people.errors import (
    LastOperator,
    LoginNameTaken,
    UnknownLogin,
    UnknownRole,
    WeakPassword,
)
from liuke.people.models import Login
from liuke.people.rules import ROLES


def _checked(password: str) -> str:
    try:
        validate_password(password)
    except ValidationError as refused:
        raise WeakPassword(reasons=" ".join(refused.messages)) from refused
    return password


def _known(role: str) -> str:
    if role not in ROLES:
        raise UnknownRole(role=role)
    return role


def locked_login(name: str) -> Login:
    """The login, held until the transaction ends.

    Raises:
        UnknownLogin: nobody signs in with this name.
    """
    login = Login.objects.select_for_update(no_key=True).filter(name=name).first()
    if login is None:
        raise UnknownLogin(name=name)
    return login


def open_login(
    *, name: str, password: str, role: str = "operator", by: Login | None = None
) -> Login:
    """Give someone a name and a password to sign in with.

    Raises:
        LoginNameTaken: the name is in use.
        UnknownRole: neither operator nor agent.
        WeakPassword: too short or too common.
    """
    login = Login(name=name, role=_known(role), opened_at=clock.now())
    login.set_password(_checked(password))
    with transaction.atomic():
        if Login.objects.filter(name=name).exists():
            raise LoginNameTaken(name=name)
        login.save(force_insert=True)
        record_act(by=by, verb="login.open", about=name, role=role)
    return login


def change_password(*, name: str, password: str, by: Login | None = None) -> None:
    """Replace a password; every session of that login ends.

    Raises:
        UnknownLogin: nobody signs in with this name.
        WeakPassword: too short or too common.
    """
    checked = _checked(password)
    with transaction.atomic():
        login = locked_login(name)
        login.set_password(checked)
        login.save(update_fields=["password"])
        record_act(by=by, verb="login.password", about=name)


@transaction.atomic
def set_role(*, name: str, role: str, by: Login | None) -> None:
    """Make someone an operator or an agent.

    Raises:
        LastOperator: nobody else could do everything.
        UnknownLogin: nobody signs in with this name.
        UnknownRole: neither operator nor agent.
    """
    _known(role)
    _keep_an_operator(name, leaves=role != "operator")
    login = locked_login(name)
    if login.role != role:
        login.role = role
        login.save(update_fields=["role"])
        record_act(by=by, verb="login.role", about=name, role=role)


@transaction.atomic
def set_active(*, name: str, is_active: bool, by: Login | None) -> None:
    """Close a login, or open it again. Closing ends its sessions for good.

    Raises:
        LastOperator: nobody else could do everything.
        UnknownLogin: nobody signs in with this name.
    """
    _keep_an_operator(name, leaves=not is_active)
    login = locked_login(name)
    if login.is_active != is_active:
        login.is_active = is_active
        login.sessions_from = clock.now()
        login.save(update_fields=["is_active", "sessions_from"])
        record_act(by=by, verb="login.reopen" if is_active else "login.close", about=name)


def _keep_an_operator(name: str, *, leaves: bool) -> None:
    """Hold every active operator, so that two cannot go at once; whoever waited sees who is left."""
    if leaves:
        active = Login.objects.filter(role="operator", is_active=True)
        names = [login.name for login in active.select_for_update(no_key=True).order_by("id")]
        if names == [name]:
            raise LastOperator(name=name)
