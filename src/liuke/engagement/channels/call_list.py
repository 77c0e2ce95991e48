"""The list of members to ring, or to take elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from liuke.base import ids

_PUT = """
INSERT INTO engagement_call (reference, kind, member_id, message_id, state, tries, outcome, leave_reason, note, made_at)
SELECT given.reference, 'recall', m.member_id, m.id, 'open', 0, '', '', '', %(at)s
FROM unnest(%(ids)s::bigint[], %(references)s::text[]) AS given(id, reference)
JOIN engagement_message m USING (id)
"""


class CallList:
    """A message accepted here is a call in the agents' queue."""

    def put(self, message_ids: Sequence[int], *, at: dt.datetime) -> None:
        """One open call for each message."""
        references = [ids.new_reference() for _ in message_ids]
        with connection.cursor() as cursor:
            cursor.execute(_PUT, {"ids": list(message_ids), "references": references, "at": at})
