"""What `orders` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Forbidden, Invalid, NotFound


class UnknownOrder(NotFound):
    """No order has this number, or it is someone else's: the visitor is not told which."""

    says = gettext_noop("There is no such order.")


# Placing ------------------------------------------------------------------------------------------


class EmptyOrder(Invalid):
    """Nothing is wanted, or more different things than an order holds."""

    says = gettext_noop("An order holds 1 to %(most)s different things.")


class BadOrderQuantity(Invalid):
    """None, less, or more than one order takes."""

    says = gettext_noop("A quantity is a whole number from 1 to %(most)s.")


class BadOrderKey(Invalid):
    """The key that makes a second tap the same order is missing or too long."""

    says = gettext_noop("This order form is out of date. Open the product again.")


class OrderKeyUsed(Conflict):
    """The same key came with something else."""

    says = gettext_noop("This order was placed already, with something else in it.")


class NotOffered(Conflict):
    """Hidden, not listed yet, or the merchant is paused."""

    says = gettext_noop("This is not for sale at the moment.")


class NothingToPay(Invalid):
    """Goods that cost nothing cannot be ordered."""

    says = gettext_noop("There is nothing to pay here.")


class PriceChanged(Conflict):
    """The price that was agreed to is not the price of now."""

    says = gettext_noop("The price has changed. Look at it once more.")


class TooManyUnpaid(Conflict):
    """Unpaid orders keep stock from others, so nobody has many."""

    says = gettext_noop("Pay or cancel the orders that wait for your money first.")


class OrderLimit(Conflict):
    """The product has a limit for one order."""

    says = gettext_noop("At most %(most)s of this in one order.")


class PersonLimit(Conflict):
    """The product has a limit for one member, over all their orders."""

    says = gettext_noop("At most %(most)s of this for one member; you have %(had)s.")


class SignInFirst(Forbidden):
    """What is limited by member, or expensive, is not sold to guests."""

    says = gettext_noop("Sign in with your phone number to buy this.")


class WrongAnswers(Invalid):
    """The product asks something that was not answered, or not like that. `wrong` is question → what is wrong."""

    says = gettext_noop("Some answers are missing or cannot be right.")
    wrong: dict[str, str]

    def __init__(self, wrong: dict[str, str] | None = None) -> None:
        super().__init__()
        self.wrong = wrong or {}


class CouponDoesNotFit(Conflict):
    """Not this member's, not for this, not enough spent, or used meanwhile."""

    says = gettext_noop("This coupon cannot be used here.")


# Afterwards ---------------------------------------------------------------------------------------


class OrderMovedOn(Conflict):
    """The order is no longer, or not yet, where this could be done."""

    says = gettext_noop("This order is already somewhere else. Look at it once more.")


class OrderCancelled(Conflict):
    """Money came for an order that had been cancelled by somebody."""

    says = gettext_noop("This order was cancelled.")


class TooMuchRefunded(Conflict):
    """More than was paid."""

    says = gettext_noop("No more can go back than was paid.")


class BadOrderPolicy(Invalid):
    """Numbers with which nobody could order anything, or orders would never end."""

    says = gettext_noop("These rules for orders make no sense.")
