"""What does `engagement` promise about its tables?"""

from __future__ import annotations

from liuke.base.audit import Invariant
from liuke.engagement.sending_promises import promises

# Reasons a decision can only have after its message was written.
_AFTER_MESSAGE = "('accepted', 'rejected', 'unknown', 'opted_out', 'expired')"

_PROMISES = [
    Invariant(
        "engagement.no_two_weeks_overlap",
        "Nobody's week is taken twice: between the starts of two contacts of a person lie at least 168 hours",
        "SELECT person_id FROM (SELECT person_id, claimed_at, upper(during) AS until,"
        " lag(claimed_at) OVER before AS last_at, lag(upper(during)) OVER before AS last_until"
        " FROM engagement_contact WHERE given_back_at IS NULL"
        " WINDOW before AS (PARTITION BY person_id ORDER BY claimed_at, id)) weeks"
        " WHERE last_until > claimed_at OR claimed_at - last_at < interval '168 hours'",
    ),
    Invariant(
        "engagement.sends_are_a_week_apart",
        "Two marketing messages that left, or may have left, for one person began at least 168 hours apart",
        "SELECT person_id FROM (SELECT person_id, began_at, lag(began_at) OVER ("
        " PARTITION BY person_id ORDER BY began_at, id) AS last_at FROM engagement_message"
        " WHERE purpose = 'marketing' AND state IN ('sending', 'accepted', 'unknown')) sent"
        " WHERE began_at - last_at < interval '168 hours'",
    ),
    Invariant(
        "engagement.marketing_has_its_week",
        "Every marketing message has taken the week of its person; only one that went nowhere has given it back",
        "SELECT m.id FROM engagement_message m LEFT JOIN engagement_contact c ON c.id = m.contact_id"
        " WHERE m.purpose = 'marketing' AND (c.decision_id IS DISTINCT FROM m.decision_id OR c.is_ghost"
        " OR (c.given_back_at IS NOT NULL) <> (m.state IN ('rejected', 'cancelled')))",
    ),
    Invariant(
        "engagement.messages_equal_decisions",
        "A message and its decision, of the treated arm and about the same member, say the same",
        "SELECT d.id FROM engagement_decision d FULL JOIN engagement_message m ON m.decision_id = d.id"
        " WHERE CASE WHEN m.id IS NULL THEN"
        f" d.state = 2 OR d.reason IN {_AFTER_MESSAGE}"
        " ELSE d.member_id IS DISTINCT FROM m.member_id OR d.arm <> 'treated'"
        " OR (d.state = 2) <> (m.state IN ('queued', 'sending'))"
        " OR (m.state IN ('accepted', 'rejected', 'unknown') AND m.state <> d.reason)"
        " OR (m.state = 'cancelled' AND d.reason IN ('accepted', 'rejected', 'unknown')) END",
    ),
    Invariant(
        "engagement.controls_are_ghosts",
        "A control member of a marketing plan has their week taken and nothing sent",
        "SELECT d.id FROM engagement_decision d JOIN engagement_run r ON r.id = d.run_id"
        " JOIN engagement_plan_version v ON v.id = r.version_id"
        " LEFT JOIN engagement_contact c ON c.decision_id = d.id"
        " WHERE CASE WHEN d.reason = 'control' AND v.purpose = 'marketing'"
        " THEN d.arm <> 'control' OR c.id IS NULL OR NOT c.is_ghost ELSE c.is_ghost END",
    ),
    Invariant(
        "engagement.done_decisions_have_one_reason",
        "A decision that is done or waits has its reason, one that is not has none",
        "SELECT id FROM engagement_decision WHERE (state IN (1, 3)) <> (reason <> '')"
        " OR (reason = 'holdout' AND arm <> '')",
    ),
    Invariant(
        "engagement.hold_outs_get_nothing",
        "Who is held out has got no marketing since the lot was drawn",
        "SELECT m.id FROM engagement_message m JOIN engagement_hold_out h ON h.person_id = m.person_id"
        " WHERE h.is_held_out AND m.purpose = 'marketing' AND m.made_at >= h.drawn_at",
    ),
    Invariant(
        "engagement.one_lot_for_lists_too",
        "Who has lists of their own has drawn the lot and is not held out",
        "SELECT l.person_id FROM analytics_listed l LEFT JOIN engagement_hold_out h ON h.person_id = l.person_id"
        " WHERE h.is_held_out IS DISTINCT FROM l.is_held_out",
    ),
    Invariant(
        "engagement.runs_add_up",
        "A run has a decision for each of its candidates; in a finished one all are done, in a stopped one none waits",
        "SELECT r.id FROM engagement_run r LEFT JOIN (SELECT run_id, count(*) AS all_of_them,"
        " count(*) FILTER (WHERE state < 3) AS open, count(*) FILTER (WHERE state < 2) AS undecided"
        " FROM engagement_decision GROUP BY run_id) d ON d.run_id = r.id"
        " WHERE r.candidates <> coalesce(d.all_of_them, 0) OR (r.state = 'finished' AND d.open > 0)"
        " OR (r.state = 'stopped' AND d.undecided > 0)",
    ),
    Invariant(
        "engagement.everything_belongs_to_somebody",
        "No decision without its run and member, no week and no lot without its person",
        "SELECT d.id FROM engagement_decision d LEFT JOIN engagement_run r ON r.id = d.run_id"
        " LEFT JOIN people_member m ON m.id = d.member_id WHERE r.id IS NULL OR m.id IS NULL"
        + "".join(
            f" UNION ALL SELECT t.person_id FROM {table} t LEFT JOIN people_member m ON m.id = t.person_id"
            " WHERE m.id IS NULL"
            for table in ("engagement_contact", "engagement_hold_out", "engagement_message")
        ),
    ),
]


def invariants() -> list[Invariant]:
    """Every promise, with the rows that would break it."""
    return [*_PROMISES, *promises()]
