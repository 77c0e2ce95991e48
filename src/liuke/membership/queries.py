"""What may be cheaper for whom, who stands on which level, and what was given out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from liuke.base.audit import Invariant
from liuke.base.prepared import rows
from liuke.catalog.models import Variant
from liuke.membership.errors import UnknownCoupon, UnknownLadder, UnknownOffer
from liuke.membership.models import (
    Coupon,
    CouponKind,
    Ladder,
    Level,
    LevelMove,
    Offer,
    OfferGrant,
    OfferUse,
    Spend,
)
from liuke.membership.rules import (
    NO_TERMS,
    CouponTerms,
    Gift,
    LevelBounds,
    Progress,
    Scope,
    SpecialPrice,
    Terms,
    next_level,
)
from liuke.people.models import Member
from liuke.people.rules import SITE_SOURCE

# Terms --------------------------------------------------------------------------------------------

_LEVEL = """
SELECT l.name, l.pays_percent FROM membership_level l JOIN membership_ladder d ON d.key = l.ladder_id AND d.is_active
LEFT JOIN membership_spend s ON s.person_id = %s AND s.level_id = l.id
ORDER BY s.person_id IS NULL, l.position LIMIT 1
"""
FULL_PRICE_PERCENT = 100
_OFFERS = """
SELECT o.id, NULL::bigint, o.name, o.scene_id, o.product_id, o.variant_id, o.percent_off, o.off_fen, o.price_fen,
       o.quantity_max, o.ends_at, o.min_payable_fen, o.gift_variant_id, o.gift_quantity
FROM membership_offer o
WHERE o.kind = 'first_order' AND o.starts_at <= %(at)s AND (o.ends_at IS NULL OR o.ends_at > %(at)s)
  AND NOT EXISTS (SELECT 1 FROM membership_offer_use u
                  WHERE u.person_id = %(person)s AND u.kind = 'first_order' AND u.returned_at IS NULL)
UNION ALL
SELECT o.id, g.id, o.name, o.scene_id, o.product_id, o.variant_id, o.percent_off, o.off_fen, o.price_fen,
       o.quantity_max, least(g.ends_at, o.ends_at), 0, NULL, 0
FROM membership_offer_grant g JOIN membership_offer o ON o.id = g.offer_id
WHERE g.person_id = %(person)s AND g.starts_at <= %(at)s AND g.ends_at > %(at)s
  AND o.starts_at <= %(at)s AND (o.ends_at IS NULL OR o.ends_at > %(at)s)
  AND NOT EXISTS (SELECT 1 FROM membership_offer_use u WHERE u.grant_id = g.id AND u.returned_at IS NULL)
ORDER BY 12 DESC, 1, 2
"""
_COUPONS = """
SELECT c.reference, k.name, k.scene_id, k.product_id, k.variant_id, k.off_fen, k.percent_off, k.off_max_fen,
       k.min_spend_fen, c.expires_at
FROM membership_coupon c JOIN membership_coupon_kind k ON k.id = c.kind_id
WHERE c.person_id = %(person)s AND c.state = 'free' AND c.expires_at > %(at)s
  AND k.spent_fen + k.locked_fen < k.budget_fen
ORDER BY c.expires_at, c.id
"""


def terms_for(*, person_id: int | None, variants: Sequence[Variant], at: dt.datetime) -> Terms:
    """All that may make these variants cheaper for a person at a moment, in three queries; nothing for guests (None).

    Gifts come with the highest bar first. `variants` have their product at hand.
    """
    if person_id is None:
        return NO_TERMS
    asked: dict[str, Any] = {"person": person_id, "at": at}
    level_name, pays_percent = _standing(person_id)
    offers = rows(_OFFERS, asked)
    coupons = map(_coupon_terms, rows(_COUPONS, asked))

    def is_about_them(one: SpecialPrice | Gift | CouponTerms) -> bool:
        return any(one.scope.covers(v.product.scene_id, v.product_id, v.pk) for v in variants)

    return Terms(
        level_name,
        pays_percent,
        tuple(filter(is_about_them, (_special(row) for row in offers if row[1] is not None))),
        tuple(filter(is_about_them, (_gift(row) for row in offers if row[1] is None))),
        tuple(filter(is_about_them, coupons)),
    )


def pays_percent_of(person_id: int) -> int:
    """How many hundredths of a price a person's level pays, in one query: for lists."""
    return _standing(person_id)[1]


def _standing(person_id: int) -> tuple[str, int]:
    """The name of a person's level, and how many hundredths of a price it pays."""
    ((name, percent),) = rows(_LEVEL, [person_id]) or [("", FULL_PRICE_PERCENT)]
    return name, percent


def _special(row: Sequence[Any]) -> SpecialPrice:
    offer, grant, name, scene, product, variant, percent, off, price, most, ends_at, *_ = row
    return SpecialPrice(
        offer, grant, name, Scope(scene, product, variant), percent, off, price, most, ends_at
    )


def _gift(row: Sequence[Any]) -> Gift:
    offer, _, name, scene, product, variant, *_, min_payable, gift_variant, quantity = row
    return Gift(offer, name, Scope(scene, product, variant), min_payable, gift_variant, quantity)


def _coupon_terms(row: Sequence[Any]) -> CouponTerms:
    reference, name, scene, product, variant, *worth = row
    return CouponTerms(reference, name, Scope(scene, product, variant), *worth)


# Levels -------------------------------------------------------------------------------------------


def ladders() -> QuerySet[Ladder]:
    """Every ladder, the one that is climbed first."""
    return Ladder.objects.order_by("-is_active", "key")


def levels(ladder: str | None = None) -> list[Level]:
    """The levels of a ladder, lowest first; of the one that is climbed unless told."""
    of = {"ladder": ladder} if ladder else {"ladder__is_active": True}
    return list(Level.objects.filter(**of).order_by("position"))


def level_of(person_id: int) -> Level:
    """The level a person stands on."""
    spend = Spend.objects.filter(person_id=person_id).select_related("level").first()
    return spend.level if spend and spend.level else levels()[0]


def spend_of(person_id: int) -> Spend:
    """What a person completed; an unsaved row of zeros when nothing."""
    return Spend.objects.filter(person_id=person_id).first() or Spend(person_id=person_id)


def progress_of(person_id: int) -> Progress | None:
    """What is missing for the next level; None on the highest."""
    spend = spend_of(person_id)
    return next_level([bounds(level) for level in levels()], spend.spent_fen, spend.orders)


def ladder_named(key: str) -> Ladder:
    """The ladder of that key.

    Raises:
        UnknownLadder: there is none.
    """
    ladder = Ladder.objects.filter(pk=key).first()
    if ladder is None:
        raise UnknownLadder
    return ladder


def level_holders() -> dict[int, int]:
    """How many persons stand on each level of the ladder that is climbed, by the level's id.

    Whoever signed up by phone and completed nothing stands on the lowest.
    """
    standing = Spend.objects.exclude(level=None).values_list("level").annotate(n=Count("pk"))
    found = dict(standing.order_by())
    signed_up = Member.objects.filter(source=SITE_SOURCE, phone_index__isnull=False)
    without = signed_up.filter(~Exists(Spend.objects.filter(person=OuterRef("person_id"))))
    new = without.aggregate(n=Count("person_id", distinct=True))["n"]
    for lowest in Level.objects.filter(ladder__is_active=True, position=0):
        found[lowest.pk] = found.get(lowest.pk, 0) + new
    return found


def bounds(level: Level) -> LevelBounds:
    """What a level asks for and gives, as plain data."""
    return LevelBounds(
        level.key, level.name, level.spent_from_fen, level.orders_from, level.pays_percent
    )


def level_history(person_id: int) -> QuerySet[LevelMove]:
    """How a person came to their level, the last move first."""
    return (
        LevelMove.objects.filter(person_id=person_id)
        .select_related("level", "previous")
        .order_by("-id")
    )


# Offers and coupons -------------------------------------------------------------------------------


def offers() -> QuerySet[Offer]:
    """Every offer, the newest first."""
    return Offer.objects.select_related(
        "scene", "product", "variant__product", "gift_variant__product"
    ).order_by("-id")


def offer_named(reference: str) -> Offer:
    """The offer of that reference.

    Raises:
        UnknownOffer: there is none.
    """
    offer = Offer.objects.filter(reference=reference).first()
    if offer is None:
        raise UnknownOffer
    return offer


def special_prices(at: dt.datetime) -> QuerySet[Offer]:
    """The special prices that are in force at a moment, the newest first."""
    in_force = Q(ends_at=None) | Q(ends_at__gt=at)
    return offers().filter(in_force, kind="special_price", starts_at__lte=at)


def offers_granted() -> dict[int, int]:
    """How often each special price was granted, by the offer's id."""
    return dict(OfferGrant.objects.values_list("offer").annotate(n=Count("pk")).order_by())


def buys_here(source: str) -> bool:
    """Whether the members of a source are the shop's own: only they can have what this room gives."""
    return source == SITE_SOURCE


def grants_of(person_id: int) -> QuerySet[OfferGrant]:
    """The special prices a person was granted, the last first; ended ones too."""
    return (
        OfferGrant.objects.filter(person_id=person_id)
        .select_related("offer__product", "offer__variant")
        .order_by("-id")
    )


def uses_in(order_ref: str) -> QuerySet[OfferUse]:
    """The offers that an order makes use of; returned ones too."""
    return OfferUse.objects.filter(order_ref=order_ref).select_related("offer").order_by("id")


def coupon_kinds() -> QuerySet[CouponKind]:
    """Every kind of coupon, the newest first."""
    return CouponKind.objects.select_related("scene", "product", "variant__product").order_by("-id")


def coupon_kinds_given(at: dt.datetime) -> QuerySet[CouponKind]:
    """The kinds of coupon that are given out at a moment, the newest first."""
    in_force = Q(ends_at=None) | Q(ends_at__gt=at)
    return coupon_kinds().filter(in_force, starts_at__lte=at)


def coupons_given() -> dict[int, tuple[int, int]]:
    """How many coupons of each kind were given out, and how many of them are used, by the kind's id."""
    used = Count("pk", filter=Q(state="used"))
    found = Coupon.objects.values_list("kind").annotate(n=Count("pk"), used=used).order_by()
    return {kind: (given, spent) for kind, given, spent in found}


def coupon_kind_named(reference: str) -> CouponKind:
    """The kind of coupon of that reference.

    Raises:
        UnknownCoupon: there is none.
    """
    kind = CouponKind.objects.filter(reference=reference).first()
    if kind is None:
        raise UnknownCoupon
    return kind


def coupons_of(person_id: int) -> QuerySet[Coupon]:
    """A person's coupons, those to be used soonest first; used ones too."""
    return (
        Coupon.objects.filter(person_id=person_id)
        .select_related("kind")
        .order_by("expires_at", "id")
    )


def file_of(person_id: int) -> dict[str, Any]:
    """What a person has earned and was given, as plain data, for the member, who may ask for it."""
    spend = spend_of(person_id)
    return {
        "completed_orders": spend.orders,
        "spent_fen": spend.spent_fen,
        "levels": [
            {"level": move.level.name, "at": move.at.isoformat()}
            for move in level_history(person_id)
        ],
        "special_prices": [
            {
                "name": grant.offer.name,
                "from": grant.starts_at.isoformat(),
                "until": grant.ends_at.isoformat(),
            }
            for grant in grants_of(person_id)
        ],
        "coupons": [
            {
                "reference": coupon.reference,
                "name": coupon.kind.name,
                "state": coupon.state,
                "until": coupon.expires_at.isoformat(),
            }
            for coupon in coupons_of(person_id)
        ],
    }


# Promises -----------------------------------------------------------------------------------------


def invariants() -> list[Invariant]:
    """What this room promises about its tables."""
    return [
        Invariant(
            "membership.level_follows_spend",
            "Everyone stands on the highest level of the ladder whose bounds they reach, and their history ends there",
            "SELECT s.person_id FROM membership_spend s WHERE s.level_id IS DISTINCT FROM ("
            " SELECT l.id FROM membership_level l JOIN membership_ladder d ON d.key = l.ladder_id AND d.is_active"
            " WHERE l.spent_from_fen <= s.spent_fen AND l.orders_from <= s.orders ORDER BY l.position DESC LIMIT 1)"
            " OR s.level_id IS DISTINCT FROM (SELECT mv.level_id FROM membership_level_move mv"
            " WHERE mv.person_id = s.person_id ORDER BY mv.id DESC LIMIT 1)",
        ),
        Invariant(
            "membership.ladders_go_up",
            "In every ladder each level asks for no less and pays no more than the one below; the lowest asks nothing",
            "SELECT ladder_id, key FROM (SELECT *, lag(spent_from_fen, 1, 0) OVER up AS below_fen,"
            " lag(orders_from, 1, 0) OVER up AS below_orders, lag(pays_percent, 1, 100) OVER up AS below_percent,"
            " row_number() OVER up AS place FROM membership_level"
            " WINDOW up AS (PARTITION BY ladder_id ORDER BY position)) steps"
            " WHERE spent_from_fen < below_fen OR orders_from < below_orders OR pays_percent > below_percent"
            " OR (place = 1 AND (spent_from_fen, orders_from) <> (0, 0))",
        ),
        Invariant(
            "membership.coupons_add_up",
            "What a kind of coupon has spent and locked is what its coupons took off",
            "SELECT k.id FROM membership_coupon_kind k LEFT JOIN (SELECT kind_id,"
            " coalesce(sum(off_fen) FILTER (WHERE state = 'locked'), 0) AS locked,"
            " coalesce(sum(off_fen) FILTER (WHERE state = 'used'), 0) AS used"
            " FROM membership_coupon GROUP BY kind_id) c ON c.kind_id = k.id"
            " WHERE (k.locked_fen, k.spent_fen) <> (coalesce(c.locked, 0), coalesce(c.used, 0))",
        ),
        Invariant(
            "membership.coupons_per_person",
            "Nobody was given more coupons of a kind than one may have",
            "SELECT c.id FROM membership_coupon c JOIN membership_coupon_kind k ON k.id = c.kind_id"
            " WHERE c.number > k.per_person_max",
        ),
        Invariant(
            "membership.uses_fit_their_offer",
            "A use is of its offer's kind, and of the grant of the same person",
            "SELECT u.id FROM membership_offer_use u JOIN membership_offer o ON o.id = u.offer_id"
            " LEFT JOIN membership_offer_grant g ON g.id = u.grant_id"
            " WHERE u.kind <> o.kind OR (u.grant_id IS NOT NULL"
            " AND (g.person_id, g.offer_id) IS DISTINCT FROM (u.person_id, u.offer_id))",
        ),
    ]
