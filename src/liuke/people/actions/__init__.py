"""What can be done to members and logins."""

from liuke.people.actions.enrol import ENROLLED, enrol
from liuke.people.actions.logins import change_password, open_login

__all__ = ["ENROLLED", "change_password", "enrol", "open_login"]
