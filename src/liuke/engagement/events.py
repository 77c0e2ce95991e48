"""Facts of `engagement`."""

from dataclasses import dataclass

from liuke.events.facts import fact


@fact(name="engagement.RunStarted", version=1)
@dataclass(frozen=True)
class RunStarted:
    """A plan went to work: its candidates are fixed, the gate decides about each."""

    run_id: int
    plan_id: int
    candidates: int


@fact(name="engagement.RunFinished", version=1)
@dataclass(frozen=True)
class RunFinished:
    """Every candidate of a run has one recorded reason; `state` is finished or stopped."""

    run_id: int
    plan_id: int
    state: str
