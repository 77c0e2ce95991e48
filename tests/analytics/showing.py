"""A small shop with habits: who buys coins also buys a pass, so that lists have something to say."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from liuke.analytics.actions.take_orders import take_orders
from liuke.base import clock
from liuke.catalog.models import Variant
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.renew_lists import renew_lists
from liuke.people.models import Member
from tests.delivery import make as delivery
from tests.orders import make as orders

NOBODY_OUT, EVERYBODY_HALF = 0, 5000


@dataclass(frozen=True)
class Town:
    """Four products, and members who bought some of them."""

    coins: Variant
    pass_: Variant
    film: Variant
    data: Variant
    players: list[Member]


def hold_out(share_permyriad: int) -> None:
    """Let the lot keep out so many in ten thousand from now on."""
    set_outreach_policy(by=None, holdout_permyriad=share_permyriad)


def bought(who: Member, *variants: Variant, at: dt.datetime | None = None) -> None:
    """Each is ordered, paid and delivered at a moment, in an order of its own."""
    with clock.stopped_at(at or clock.now()):
        for variant in variants:
            order = delivery.delivered(orders.order(variant, of=who))
            take_orders(order_ids=[order.pk], at=clock.now())


def town(players: int = 6) -> Town:
    """Players who all bought coins and, but the first, a pass; nobody bought the film or the data plan."""
    shop = orders.shop(stock=60, subject="原神")
    seller = shop.merchant
    pass_ = orders.product(seller, title="Battle pass", stock=40, price_fen=3000, subject="原神")
    film = orders.product(seller, title="Film month", stock=20, scene="films")
    data = orders.product(seller, title="Data plan", stock=20, scene="phone")
    people = [orders.member() for _ in range(players)]
    for at, who in enumerate(people):
        delivery.fill_wallet(who)
        bought(who, shop.coins)
        if at:
            bought(who, pass_)
    return Town(shop.coins, pass_, film, data, people)


def night() -> None:
    """What the first hour after midnight does."""
    renew_lists()
