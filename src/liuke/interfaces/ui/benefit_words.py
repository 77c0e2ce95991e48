"""What do levels, offers and coupons give, in words?"""

from __future__ import annotations

from django.utils.translation import get_language, gettext, ngettext

from liuke.catalog.models import Scene
from liuke.interfaces.ui.figures import price
from liuke.membership.models import CouponKind, Level, Offer


def level_asks(level: Level) -> str:
    """What a level asks for: orders completed and money spent."""
    asked = []
    if level.orders_from:
        n = level.orders_from
        asked.append(ngettext("%(n)s order", "%(n)s orders", n) % {"n": n})
    if level.spent_from_fen:
        asked.append(gettext("%(money)s spent") % {"money": price(level.spent_from_fen)})
    return gettext(" and ").join(asked) or gettext("nothing")


def scope_says(about: Offer | CouponKind) -> str:
    """What an offer or a coupon is about."""
    if about.variant is not None:
        return f"{about.variant.product.title} · {about.variant.name}"
    if about.product is not None:
        return about.product.title
    return scene_name(about.scene) if about.scene is not None else gettext("everything")


def scene_name(scene: Scene) -> str:
    """What a scene is called in the reader's language."""
    return scene.name_en if get_language() == "en" else scene.name_zh


def offer_says(offer: Offer) -> str:
    """What an offer gives."""
    if offer.gift_variant is not None:
        given = offer.gift_variant
        return gettext("from %(money)s paid: %(n)s × %(what)s") % {
            "money": price(offer.min_payable_fen),
            "n": offer.gift_quantity,
            "what": f"{given.product.title} · {given.name}",
        }
    if offer.percent_off is not None:
        return gettext("%(n)s %% off") % {"n": offer.percent_off}
    if offer.off_fen is not None:
        return gettext("%(money)s off each piece") % {"money": price(offer.off_fen)}
    return gettext("%(money)s a piece") % {"money": price(offer.price_fen or 0)}


def special_says(offer: Offer, days: int) -> str:
    """What everybody has of a special price whom a plan reaches."""
    if offer.percent_off is not None:
        each = gettext("each gets %(n)s %% off one order") % {"n": offer.percent_off}
    elif offer.off_fen is not None:
        money = price(offer.off_fen)
        each = gettext("each gets %(money)s off each piece of one order") % {"money": money}
    else:
        each = gettext("each pays %(money)s a piece in one order") % {
            "money": price(offer.price_fen or 0)
        }
    said = ngettext("%(each)s for %(n)s day", "%(each)s for %(n)s days", days)
    return said % {"each": each, "n": days}


def coupon_says(kind: CouponKind) -> str:
    """What a coupon takes off, and from which spend on."""
    if kind.off_fen is not None:
        worth = gettext("%(money)s off") % {"money": price(kind.off_fen)}
    else:
        worth = gettext("%(n)s %% off, %(money)s at most") % {
            "n": kind.percent_off,
            "money": price(kind.off_max_fen or 0),
        }
    if not kind.min_spend_fen:
        return worth
    return gettext("%(worth)s from %(money)s") % {
        "worth": worth,
        "money": price(kind.min_spend_fen),
    }
