"""What the log refuses to do when asked."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from liuke.base.errors import Invalid, NotFound


class UnknownReaction(NotFound):
    """No reaction of that name is connected in this release."""

    says = gettext_noop("There is no reaction called %(reaction)s.")


class NotReplayable(Invalid):
    """Run again, this reaction would do its effect again: it is no rebuildable projection."""

    says = gettext_noop(
        "The reaction %(reaction)s cannot be replayed: it is not a rebuildable projection."
    )
