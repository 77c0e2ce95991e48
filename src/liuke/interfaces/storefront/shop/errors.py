"""What the shop's pages refuse by themselves."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Invalid


class NoWayToPay(Invalid):
    """The form names a way to pay that was not on it."""

    says = gettext_noop("Choose how to pay.")
