"""What is known of plans, runs, decisions, messages and calls."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from liuke.engagement.queries.calls import (
    CallPage,
    CallRow,
    CallToExport,
    LeaveReasons,
    call_named,
    calls,
    calls_about,
    leave_reasons,
    open_calls,
    open_troubles,
    phone_to_ring,
)
from liuke.engagement.queries.decisions import (
    DecisionPage,
    DecisionRow,
    decisions,
    decisions_about,
)
from liuke.engagement.queries.messages import (
    InboxItem,
    Ledger,
    LedgerRow,
    Why,
    file_of,
    inbox,
    ledger,
    message_named,
    message_of_token,
    next_possible_at,
    unread,
    unsubscribe_token,
    why,
)
from liuke.engagement.queries.plans import (
    PlanRow,
    Progress,
    due_runs,
    has_work,
    is_ruled,
    plan_named,
    plans,
    policy,
    progress,
    run_named,
    runs,
    switch,
    templates,
    variables,
    version_in_force,
)
from liuke.engagement.queries.preview import Preview, Sample, preview
from liuke.engagement.templates import PlanTemplate
from liuke.engagement.texts import Variable

if TYPE_CHECKING:
    from liuke.engagement.queries.results import (
        ArmResult,
        Cost,
        DayShare,
        Effect,
        Foresight,
        Needs,
        Results,
        Split,
        foresee,
        holdout_results,
        results_of,
    )

__all__ = [
    "ArmResult",
    "CallPage",
    "CallRow",
    "CallToExport",
    "Cost",
    "DayShare",
    "DecisionPage",
    "DecisionRow",
    "Effect",
    "Foresight",
    "InboxItem",
    "LeaveReasons",
    "Ledger",
    "LedgerRow",
    "Needs",
    "PlanRow",
    "PlanTemplate",
    "Preview",
    "Progress",
    "Results",
    "Sample",
    "Split",
    "Variable",
    "Why",
    "call_named",
    "calls",
    "calls_about",
    "decisions",
    "decisions_about",
    "due_runs",
    "file_of",
    "foresee",
    "has_work",
    "holdout_results",
    "inbox",
    "is_ruled",
    "leave_reasons",
    "ledger",
    "message_named",
    "message_of_token",
    "next_possible_at",
    "open_calls",
    "open_troubles",
    "phone_to_ring",
    "plan_named",
    "plans",
    "policy",
    "preview",
    "progress",
    "results_of",
    "run_named",
    "runs",
    "switch",
    "templates",
    "unread",
    "unsubscribe_token",
    "variables",
    "version_in_force",
    "why",
]


def __getattr__(name: str) -> Any:
    """What is told of results is loaded when it is asked for: it needs numpy, and the worker does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("liuke.engagement.queries.results"), name)
