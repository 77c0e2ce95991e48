"""What became of something handed to the outside world? One of three; nothing is ever sent again after `Unknown`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    """The provider took it, and calls it `provider_id` ("" when it has no name for it)."""

    provider_id: str = ""


@dataclass(frozen=True)
class Rejected:
    """It definitely never got beyond the provider's door. `why` names nobody.

    `is_passing`: nobody was at the door, or it is only closed for now; it may be tried again later.
    """

    why: str
    is_passing: bool = False


@dataclass(frozen=True)
class Unknown:
    """It may have gone out. `why` names nobody."""

    why: str


Outcome = Accepted | Rejected | Unknown
