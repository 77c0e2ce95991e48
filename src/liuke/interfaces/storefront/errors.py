"""What the member side refuses by itself."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Invalid


class NotASwitch(Invalid):
    """A channel, purpose or answer that is not on the page."""

    says = gettext_noop("There is no such switch.")


class NotTheWord(Invalid):
    """Erasing wants one word typed, so that it is no slip."""

    says = gettext_noop("Type “%(word)s” to confirm.")
