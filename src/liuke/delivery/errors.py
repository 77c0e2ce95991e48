"""What `delivery` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Invalid, NotFound


class UnknownDelivery(NotFound):
    """Nothing was delivered under this number, or to someone else: the visitor is not told which."""

    says = gettext_noop("There is no such delivery.")


class UnknownRejection(NotFound):
    """No rejection has this reference."""

    says = gettext_noop("There is no such rejection.")


class NotDelivered(Conflict):
    """It is still being worked on."""

    says = gettext_noop("This was not delivered yet.")


class NotByHand(Conflict):
    """Card keys hand themselves over; what was delivered needs no hands any more."""

    says = gettext_noop("This line does not wait for anybody's hands.")


class SayWhatWasDone(Invalid):
    """A step without words."""

    says = gettext_noop("Say in 1 to %(most)s letters what was done.")


class AlreadySettled(Conflict):
    """Accepted or returned: the money has gone its way."""

    says = gettext_noop("This delivery was accepted or returned already.")


class KeyReturned(Conflict):
    """Its price went back, so it is nobody's any more."""

    says = gettext_noop("This card key was returned.")


class NotSeenYet(Conflict):
    """Nobody tries a key they have not looked at."""

    says = gettext_noop("Show the card key first.")


class UnknownReason(Invalid):
    """Not one of the reasons to choose from."""

    says = gettext_noop("Choose what is wrong.")


class NotLateYet(Conflict):
    """It was promised for later."""

    says = gettext_noop("This was promised for later. Wait until then, please.")


class RejectionOpen(Conflict):
    """Somebody is looking at it."""

    says = gettext_noop("Somebody is already looking at what is wrong with this.")


class RejectionSettled(Conflict):
    """It was decided before."""

    says = gettext_noop("This was decided already.")


class AnswerMissing(Invalid):
    """Who refuses says why."""

    says = gettext_noop("Tell the member why.")


class BadDeliveryPolicy(Invalid):
    """Numbers that make no sense."""

    says = gettext_noop("These rules for rejections make no sense.")
