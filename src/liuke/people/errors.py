"""What `people` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Invalid, NotFound


class UnknownMember(NotFound):
    """No member has this reference."""

    says = gettext_noop("There is no such member.")


class LoginNameTaken(Conflict):
    """Login names are unique."""

    says = gettext_noop("Someone already signs in as %(name)s.")


class UnknownLogin(NotFound):
    """No login has this name."""

    says = gettext_noop("Nobody signs in as %(name)s.")


class WeakPassword(Invalid):
    """The password validators refused it."""

    says = gettext_noop("This password is too weak: %(reasons)s")
