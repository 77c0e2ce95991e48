"""What can be done about levels, offers and coupons."""

from liuke.membership.actions.coupons import (
    give_coupon,
    grant_coupon,
    lock_coupon,
    make_coupon_kind,
    return_coupon,
    stop_coupon_kind,
    use_coupon,
)
from liuke.membership.actions.ladders import activate_ladder, set_levels
from liuke.membership.actions.offers import (
    Grant,
    end_offer,
    grant_offer,
    grant_offers,
    make_offer,
    return_offer,
    use_offer,
)
from liuke.membership.actions.spend import add_spend, settle_levels, take_spend_back
from liuke.membership.rules import LevelBounds

__all__ = [
    "Grant",
    "LevelBounds",
    "activate_ladder",
    "add_spend",
    "end_offer",
    "give_coupon",
    "grant_coupon",
    "grant_offer",
    "grant_offers",
    "lock_coupon",
    "make_coupon_kind",
    "make_offer",
    "return_coupon",
    "return_offer",
    "set_levels",
    "settle_levels",
    "stop_coupon_kind",
    "take_spend_back",
    "use_coupon",
    "use_offer",
]
