"""What `merchants` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Invalid, NotFound


class UnknownMerchant(NotFound):
    """No merchant has this reference."""

    says = gettext_noop("There is no such merchant.")


class MerchantNameTaken(Conflict):
    """Two merchants of one name could not be told apart."""

    says = gettext_noop("There is already a merchant called %(name)s.")


class BadMerchantName(Invalid):
    """Empty, too long, or not to be printed."""

    says = gettext_noop("A merchant's name has 1 to %(letters)s letters.")


class BadFee(Invalid):
    """What the platform keeps is between nothing and half."""

    says = gettext_noop("The fee is between 0 and 50 percent.")


class MerchantClosed(Conflict):
    """Closed is for good."""

    says = gettext_noop("%(name)s is closed for good.")
