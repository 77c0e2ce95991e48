"""Which ways to pay are in use here? `LIUKE_GATEWAYS` names them, in the order in which they are offered."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from liuke.payments.errors import UnknownGateway
from liuke.payments.gateways.protocol import Gateway
from liuke.payments.gateways.sandbox import sandbox
from liuke.payments.gateways.wallet import Wallet

_KNOWN: dict[str, Callable[[], Gateway]] = {"wallet": Wallet, "sandbox": sandbox}


def offered() -> list[str]:
    """The names of the gateways in use."""
    return list(settings.LIUKE_GATEWAYS)


def gateway(name: str) -> Gateway:
    """The gateway of that name.

    Raises:
        UnknownGateway: not in use here.
    """
    if name not in offered():
        raise UnknownGateway
    return _KNOWN[name]()


def gateway_of_old(name: str) -> Gateway:
    """The gateway through which money came once, in use or not: what came has to go back."""
    return _KNOWN[name]()
