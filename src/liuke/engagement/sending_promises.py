"""What sending promises about its tables, for `liuke audit`."""

from __future__ import annotations

import datetime as dt

from liuke.base import clock
from liuke.base.audit import Invariant

SETTLED_WITHIN = dt.timedelta(hours=1)


def promises() -> list[Invariant]:
    """Every promise, with the rows that would break it."""
    an_hour_ago = f"timestamptz '{(clock.now() - SETTLED_WITHIN).isoformat()}'"
    return [
        Invariant(
            "engagement.messages_and_decisions_agree",
            "A message has ended exactly when its decision is done, and for the same reason",
            "SELECT m.id, m.state, d.reason FROM engagement_message m"
            " JOIN engagement_decision d ON d.id = m.decision_id WHERE CASE"
            " WHEN m.state IN ('queued', 'sending') THEN d.state <> 2"
            " WHEN m.state = 'cancelled'"
            " THEN d.state <> 3 OR d.reason IN ('accepted', 'rejected', 'unknown')"
            " ELSE d.state <> 3 OR d.reason <> m.state END",
        ),
        Invariant(
            "engagement.decisions_to_send_have_a_message",
            "Nobody is recorded as reached, or to be reached, without a message",
            "SELECT d.id FROM engagement_decision d LEFT JOIN engagement_message m ON m.decision_id = d.id"
            " WHERE m.id IS NULL AND (d.state = 2 OR d.reason IN ('accepted', 'rejected', 'unknown'))",
        ),
        Invariant(
            "engagement.weeks_are_kept_or_given_back",
            "The week of a message is given back exactly when nothing went out, and else follows what did",
            "SELECT m.id FROM engagement_message m JOIN engagement_contact c ON c.id = m.contact_id"
            " WHERE (m.state IN ('rejected', 'cancelled')) <> (c.given_back_at IS NOT NULL)"
            " OR m.state IN ('sending', 'accepted', 'unknown')"
            " AND upper(c.during) < m.began_at + interval '168 hours'",
        ),
        Invariant(
            "engagement.the_call_list_is_complete",
            "A message of the call list is accepted exactly when it has its call",
            "SELECT m.id FROM engagement_message m FULL JOIN engagement_call c ON c.message_id = m.id"
            " WHERE (m.channel = 'list' AND m.state = 'accepted') <> (c.message_id IS NOT NULL)",
        ),
        Invariant(
            "engagement.sending_ends",
            "No message is on its way for more than an hour",
            f"SELECT id FROM engagement_message WHERE state = 'sending' AND began_at < {an_hour_ago}",
        ),
        Invariant(
            "engagement.erased_members_are_forgotten",
            "An hour after a member was erased no text to them or about them is left",
            " UNION ALL ".join(
                f"SELECT '{table}' AS told_in, t.id FROM {table} t JOIN people_member p ON p.id = t.member_id"
                f" WHERE p.erased_at < {an_hour_ago} AND {text} <> ''"
                for table, text in (
                    ("engagement_message", "t.subject || t.body"),
                    ("engagement_call", "t.note"),
                    ("engagement_trouble_flag", "t.why"),
                )
            ),
        ),
    ]
