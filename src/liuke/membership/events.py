"""Facts of `membership`."""

from dataclasses import dataclass

from liuke.events.facts import fact


@fact(name="membership.LevelChanged", version=1)
@dataclass(frozen=True)
class LevelChanged:
    """A person came to another level: by what they completed, by a refund, or because the ladder changed."""

    person_id: int
    ladder: str
    level: str
    previous: str | None
