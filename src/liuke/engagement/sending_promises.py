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
            "engagement.weeks_follow_what_went_out",
            "After a message that left, or may have left, the week of its person lasts 168 hours more",
            "SELECT m.id FROM engagement_message m JOIN engagement_contact c ON c.id = m.contact_id"
            " WHERE m.state IN ('sending', 'accepted', 'unknown')"
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
