"""The one refusal of this room."""


class InvalidInput(ValueError):
    """The arrays or settings given cannot be an order log or a rule; the message says why."""
