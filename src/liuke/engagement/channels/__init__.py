"""The ways to a member, by name."""

from liuke.engagement.channels.call_list import CallList
from liuke.engagement.channels.channel import Outgoing, OutsideChannel, OwnChannel
from liuke.engagement.channels.email import Email
from liuke.engagement.channels.inbox import Inbox
from liuke.engagement.channels.sms import Sms

OWN: dict[str, OwnChannel] = {"list": CallList(), "inbox": Inbox()}
OUTSIDE: dict[str, OutsideChannel] = {"sms": Sms(), "email": Email()}

__all__ = ["OUTSIDE", "OWN", "Outgoing", "OutsideChannel", "OwnChannel"]
