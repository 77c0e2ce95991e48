"""Write down what someone who works here did."""

from __future__ import annotations

from typing import Any

from liuke.base import clock
from liuke.people.models import Login, StaffAct


def record_act(*, by: Login | None, verb: str, about: str = "", **detail: Any) -> None:
    """Add one line to the staff's acts, in the caller's transaction. `by` is None for the command line.

    `verb` is "thing.verb", `about` the public reference of what it was done to; `detail` is plain data without secrets.
    """
    StaffAct.objects.create(by=by, verb=verb, about=about, detail=detail, at=clock.now())
