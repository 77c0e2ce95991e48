"""The words outreach is spoken of in, and the shares it starts from."""

from __future__ import annotations

WEEK_HOURS = 168
BUCKETS = 10_000  # what is drawn by lot is a ten-thousandth of everybody

SMALL_AUDIENCE = 5_000


def control_share(audience: int) -> int:
    """The share, in ten-thousandths, of an audience that a new plan leaves out to compare with."""
    return 2_000 if audience < SMALL_AUDIENCE else 1_000


PLAN_STATES = ("draft", "active", "retired")
RHYTHMS = ("once", "daily")
RUN_STATES = ("running", "paused", "finished", "stopped")
NEW, WAITING, CLAIMED, DONE = DECISION_STATES = (0, 1, 2, 3)
ARMS = ("treated", "control")

# Why a candidate got nothing, waits, or what became of what they got; in the order of the gate.
REASONS = (
    "erased",
    "no_consent",
    "trouble",
    "holdout",
    "not_eligible",  # left the audience, or reached by this plan not long ago
    "no_address",
    "quiet_hours",  # waits for the morning; as an end: the morning came too late
    "capped",  # waits for the week to pass; as an end: it did not pass in time
    "control",  # a ghost: their week is taken, nothing is sent
    "stopped",  # the run was stopped before their turn
    "opted_out",  # between plan and send
    "accepted",
    "rejected",
    "unknown",
    "expired",  # taken, but not sent in time
)

MESSAGE_STATES = ("queued", "sending", "accepted", "rejected", "unknown", "cancelled")

CALL_KINDS = ("recall", "care")
CALL_STATES = ("open", "taken", "done")
CALL_OUTCOMES = ("reached", "no_answer", "wrong_number", "refused", "lapsed")
# Why they leave (B11)
LEAVE_REASONS = (
    "benefits",
    "slow_pages",
    "late_keys",
    "dispute",
    "rival_price",
    "no_need",
    "other",
)
