"""What `membership` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Invalid, NotFound


class UnknownLadder(NotFound):
    """No ladder has this key."""

    says = gettext_noop("There is no such ladder of levels.")


class BadLadder(Invalid):
    """The lowest level asks for nothing; each one above asks for more and pays no more."""

    says = gettext_noop(
        "These levels make no ladder: the lowest asks for nothing, and each one above asks for more and pays no more."
    )


class UnknownOffer(NotFound):
    """No offer has this reference."""

    says = gettext_noop("There is no such offer.")


class BadOffer(Invalid):
    """An offer that contradicts itself; the database said which rule is broken."""

    says = gettext_noop("This offer cannot be made: %(reason)s.")


class OfferGone(Conflict):
    """Another order of this person makes use of it already."""

    says = gettext_noop("This offer was used in another order of yours.")


class UnknownCoupon(NotFound):
    """No coupon, or no kind of coupon, has this reference; or it is someone else's."""

    says = gettext_noop("There is no such coupon.")


class BadCouponKind(Invalid):
    """A kind of coupon that contradicts itself; the database said which rule is broken."""

    says = gettext_noop("This kind of coupon cannot be made: %(reason)s.")


class CouponTaken(Conflict):
    """It is locked by another order, used, or too old."""

    says = gettext_noop("This coupon is in use in another order, or no longer valid.")


class BudgetSpent(Conflict):
    """All coupons of the kind together have reached what they may cost."""

    says = gettext_noop("These coupons are used up.")


class EnoughCoupons(Conflict):
    """A person has had as many coupons of the kind as one may have."""

    says = gettext_noop("This member has had as many of these coupons as one may have.")


class CouponKindOver(Conflict):
    """The kind has ended, or has not begun."""

    says = gettext_noop("These coupons are not given out now.")


class NeedsPhone(Invalid):
    """What is given belongs to a phone number, and this member has none."""

    says = gettext_noop("This member has no phone number, so they could never use it.")
