"""How does an open page hear that something moved? By a notification with a topic and a row's number, nothing more.

Who hears it looks for itself, with the rights it has. Sent when the transaction commits, once however often it is
said; nobody has to be listening.
"""

from __future__ import annotations

from liuke.base.prepared import rows

CHANNEL = "liuke_live"


def tell(topic: str, row_id: int) -> None:
    """Say in the caller's transaction that a row of a topic (`order`) moved."""
    rows("SELECT pg_notify(%s, %s)", [CHANNEL, topic_of(topic, row_id)])


def topic_of(topic: str, row_id: int) -> str:
    """`order:12`: what is notified, and what a stream waits for."""
    return f"{topic}:{row_id}"
