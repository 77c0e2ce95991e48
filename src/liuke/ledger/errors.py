"""What `ledger` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, NotFound


class NotEnough(Conflict):
    """A guarded account would fall below zero, reservations counted."""

    says = gettext_noop("There is not enough in this account.")


class KeyUsedOtherwise(Conflict):
    """The key of an entry or reservation already stands for something else."""

    says = gettext_noop("This was already booked, and differently.")


class AlreadyReversed(Conflict):
    """An entry is taken back once."""

    says = gettext_noop("This entry was already taken back.")


class UnknownEntry(NotFound):
    """No entry has this number."""

    says = gettext_noop("There is no such entry.")


class UnknownReservation(NotFound):
    """No reservation has this key."""

    says = gettext_noop("There is no such reservation.")


class ReservationEnded(Conflict):
    """A reservation ends once: posted, voided or expired."""

    says = gettext_noop("This reservation has already ended.")


class MoreThanReserved(Conflict):
    """No more can be posted than was reserved."""

    says = gettext_noop("This is more than was reserved.")
