"""What the console itself refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Invalid


class NothingChosen(Invalid):
    """The form came without a file."""

    says = gettext_noop("Choose a file first.")


class ReasonMissing(Invalid):
    """Money is given back for a reason."""

    says = gettext_noop("Say why.")


class NotAnAmount(Invalid):
    """Nothing, or no number."""

    says = gettext_noop("Type an amount above nothing, such as 9.50.")
