"""A provider that remembers every call, and answers as it is told."""

from __future__ import annotations

from collections.abc import Callable

from liuke.base.outside import Accepted, Outcome
from liuke.engagement.channels import Outgoing

Answer = Outcome | BaseException | Callable[[Outgoing], Outcome]


class Provider:
    """Stands in for an outside channel. `answers` are used up first; then it accepts."""

    def __init__(self, *answers: Answer) -> None:
        self.calls: list[Outgoing] = []
        self.answers = list(answers)

    def send(self, outgoing: Outgoing) -> Outcome:
        self.calls.append(outgoing)
        answer = self.answers.pop(0) if self.answers else Accepted(f"p-{outgoing.reference}")
        if isinstance(answer, BaseException):
            raise answer
        return answer(outgoing) if callable(answer) else answer
