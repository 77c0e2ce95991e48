"""The member's inbox on this site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence


class Inbox:
    """A message accepted here is the item in the inbox: there is nothing else to write."""

    def put(self, message_ids: Sequence[int], *, at: dt.datetime) -> None:
        """Nothing."""
