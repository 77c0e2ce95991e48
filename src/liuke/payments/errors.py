"""What `payments` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Invalid, NotFound, Unavailable


class UnknownGateway(NotFound):
    """No gateway of this name is in use here."""

    says = gettext_noop("This way to pay is not offered here.")


class UnknownPayment(NotFound):
    """No payment has this reference."""

    says = gettext_noop("There is no such payment.")


class NotPayable(Conflict):
    """The order is paid, cancelled, or its time is up."""

    says = gettext_noop("This order can no longer be paid.")


class GatewayAway(Unavailable):
    """The gateway did not answer, or not as it should."""

    says = gettext_noop("This way to pay does not answer right now. Try again, or choose another.")


class BadNotice(Invalid):
    """Not signed by the gateway, too old, or not what it sends."""

    says = gettext_noop("This notice is not from the gateway.")


class NothingToRefund(Conflict):
    """Nothing was paid, or all of it went back already."""

    says = gettext_noop("There is nothing left to give back.")


class RefundTooLarge(Conflict):
    """No more goes back than was paid."""

    says = gettext_noop("No more can be given back than was paid.")


class UnknownRefund(NotFound):
    """No refund has this reference."""

    says = gettext_noop("There is no such refund.")


class RefundMovedOn(Conflict):
    """The refund is not where this could be done."""

    says = gettext_noop("This refund is already somewhere else. Look at it once more.")


class UnknownDiscrepancy(NotFound):
    """No discrepancy has this number."""

    says = gettext_noop("There is no such discrepancy.")


class DiscrepancySettled(Conflict):
    """Someone has decided already."""

    says = gettext_noop("Someone has settled this already.")


class NothingToSendBack(Conflict):
    """The money of this discrepancy never reached us."""

    says = gettext_noop("No money came in with this, so none can go back.")


class NoteMissing(Invalid):
    """Who settles a discrepancy by hand says what was done."""

    says = gettext_noop("Say what was done about it.")
