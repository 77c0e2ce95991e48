"""The refusals of this room."""


class InvalidInput(ValueError):
    """The arrays or settings given cannot be an order log or a rule; the message says why."""


class NotEnoughData(InvalidInput):
    """The arrays are sound, but too few to say anything; the message says how many are needed."""
