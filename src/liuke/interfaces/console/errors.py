"""What the console itself refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Invalid


class NothingChosen(Invalid):
    """The form came without a file."""

    says = gettext_noop("Choose a file first.")
