"""What may a visitor be refused, and in which words?

Every refusal in the product is a subclass of one of the five below, named for what is refused, with
the sentence a person reads in `says`. Interfaces translate a refusal once: to a page, to problem
JSON with `code`, to an exit code.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext, gettext_noop


class Refusal(Exception):
    """Something the visitor asked for is not done, and nothing was changed by asking."""

    says: ClassVar[str] = gettext_noop("This cannot be done.")

    def __init__(self, **params: Any) -> None:
        super().__init__(params)
        self.params = params

    @property
    def code(self) -> str:
        """A stable name for machines: the class name."""
        return type(self).__name__

    def __str__(self) -> str:
        sentence = gettext(self.says)
        return sentence % self.params if self.params else sentence


class Invalid(Refusal):
    """The request itself does not make sense."""

    says = gettext_noop("This is not valid.")


class NotFound(Refusal):
    """What was asked for does not exist, or may not be seen."""

    says = gettext_noop("This was not found.")


class Forbidden(Refusal):
    """The visitor may not do this."""

    says = gettext_noop("You may not do this.")


class Conflict(Refusal):
    """The world has moved on, or someone else got there first."""

    says = gettext_noop("Someone else was quicker.")


class Unavailable(Refusal):
    """It would be allowed, but something we need is not there right now."""

    says = gettext_noop("This is not available right now.")
