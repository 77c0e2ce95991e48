"""Facts of `people`."""

from dataclasses import dataclass

from liuke.events.facts import fact


@fact(name="people.MemberErased", version=1)
@dataclass(frozen=True)
class MemberErased:
    """Nothing that names this member is kept here any more; one event for each row of the person."""

    member_id: int
    person_id: int
