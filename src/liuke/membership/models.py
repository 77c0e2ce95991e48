"""Ladders and levels, what a person has spent, and the offers and coupons they hold."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from liuke.catalog.models import Product, Scene, Variant
from liuke.membership.rules import COUPON_STATES, OFFER_KINDS, ORDER_REF_LETTERS
from liuke.people.models import Login, Member

# A price rule is about one variant, one product, one scene, or everything.
_ONE_SCOPE = (
    Q(scene=None, product=None) | Q(scene=None, variant=None) | Q(product=None, variant=None)
)


class Ladder(models.Model):
    """A set of levels that belong together; exactly one is climbed at a time."""

    key = models.SlugField(max_length=40, primary_key=True)
    name = models.CharField(max_length=40)
    is_active = models.BooleanField(default=False)

    class Meta:
        db_table = "membership_ladder"
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="one_ladder_is_climbed"
            ),
        ]


class Level(models.Model):
    """One step of a ladder: whoever has completed and spent so much pays so many hundredths of the price."""

    id = models.BigAutoField(primary_key=True)
    ladder = models.ForeignKey(Ladder, models.PROTECT, related_name="levels")
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()
    spent_from_fen = models.BigIntegerField()
    orders_from = models.PositiveIntegerField()
    pays_percent = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "membership_level"
        constraints = [
            models.UniqueConstraint(fields=["ladder", "key"], name="one_level_of_a_key"),
            models.UniqueConstraint(
                fields=["ladder", "position"],
                name="one_level_of_a_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(spent_from_fen__gte=0, pays_percent__range=(1, 100)),
                name="a_level_makes_sense",
            ),
            models.CheckConstraint(
                condition=~Q(position=0) | Q(spent_from_fen=0, orders_from=0),
                name="the_lowest_level_asks_for_nothing",
            ),
        ]


class Spend(models.Model):
    """What a person has completed here, kept by increments as the orders tell it, and the level it gives.

    Absent while they completed nothing: then the lowest level of the ladder holds.
    """

    person = models.OneToOneField(Member, models.CASCADE, primary_key=True)
    orders = models.BigIntegerField(default=0)
    spent_fen = models.BigIntegerField(default=0)
    level = models.ForeignKey(Level, models.PROTECT, null=True, db_index=False)

    class Meta:
        db_table = "membership_spend"
        constraints = [
            models.CheckConstraint(
                condition=Q(orders__gte=0, spent_fen__gte=0), name="spend_is_not_negative"
            ),
        ]


class LevelMove(models.Model):
    """A person came to a level, and the figures that brought them there. Only ever appended to."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Member, models.CASCADE, db_index=False)
    level = models.ForeignKey(Level, models.PROTECT, db_index=False)
    previous = models.ForeignKey(Level, models.PROTECT, null=True, related_name="+", db_index=False)
    orders = models.BigIntegerField()
    spent_fen = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "membership_level_move"
        indexes = [models.Index(fields=["person", "-id"], name="level_move_by_person")]
        constraints = [
            models.CheckConstraint(
                condition=Q(previous=None) | ~Q(previous=F("level")), name="a_move_changes_level"
            ),
        ]


class Offer(models.Model):
    """A better deal: a gift with somebody's first order, or a special price for those it was granted to.

    A first-order offer adds `gift_quantity` of `gift_variant` to an order of its scope that pays at least
    `min_payable_fen`. A special price is one of: percent off, an amount off each piece, a price for each piece; it
    holds for at most `quantity_max` pieces of a line.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=60)
    scene = models.ForeignKey(Scene, models.PROTECT, null=True, db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, null=True, db_index=False)
    variant = models.ForeignKey(Variant, models.PROTECT, null=True, db_index=False)
    gift_variant = models.ForeignKey(
        Variant, models.PROTECT, null=True, related_name="+", db_index=False
    )
    gift_quantity = models.PositiveIntegerField(default=0)
    min_payable_fen = models.BigIntegerField(default=0)
    percent_off = models.PositiveSmallIntegerField(null=True)
    off_fen = models.BigIntegerField(null=True)
    price_fen = models.BigIntegerField(null=True)
    quantity_max = models.PositiveIntegerField(default=1)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        db_table = "membership_offer"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=OFFER_KINDS), name="offer_of_a_known_kind"),
            models.CheckConstraint(condition=_ONE_SCOPE, name="an_offer_has_one_scope"),
            models.CheckConstraint(
                condition=~Q(kind="first_order")
                | Q(gift_variant__isnull=False, gift_quantity__gt=0, min_payable_fen__gt=0)
                & Q(percent_off=None, off_fen=None, price_fen=None),
                name="a_first_order_offer_brings_a_gift",
            ),
            models.CheckConstraint(
                condition=~Q(kind="special_price")
                | Q(gift_variant=None, gift_quantity=0, quantity_max__gt=0)
                & (
                    Q(
                        percent_off__isnull=False,
                        percent_off__range=(1, 99),
                        off_fen=None,
                        price_fen=None,
                    )
                    | Q(percent_off=None, off_fen__isnull=False, off_fen__gt=0, price_fen=None)
                    | Q(
                        percent_off=None,
                        off_fen=None,
                        price_fen__isnull=False,
                        price_fen__gt=0,
                        scene=None,
                    )
                ),
                name="a_special_price_is_one_of_three",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")),
                name="an_offer_ends_after_it_starts",
            ),
        ]
        indexes = [
            models.Index(
                fields=["starts_at"], name="first_order_offers", condition=Q(kind="first_order")
            ),
        ]


class OfferGrant(models.Model):
    """A special price is a person's from one moment to another, for one order. `about` is the message that says so."""

    id = models.BigAutoField(primary_key=True)
    offer = models.ForeignKey(Offer, models.PROTECT, db_index=False)
    person = models.ForeignKey(Member, models.PROTECT, db_index=False)
    about = models.CharField(max_length=40, blank=True, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    granted_at = models.DateTimeField()

    class Meta:
        db_table = "membership_offer_grant"
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "person", "about"], name="an_offer_is_granted_once_a_message"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="a_grant_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["person", "-ends_at"], name="grant_by_person")]


class OfferUse(models.Model):
    """An order that makes use of an offer, until it is cancelled or refunded: then the use is returned.

    One first-order offer a person, ever, whatever the scene; one order a grant.
    """

    id = models.BigAutoField(primary_key=True)
    offer = models.ForeignKey(Offer, models.PROTECT, db_index=False)
    grant = models.ForeignKey(OfferGrant, models.PROTECT, null=True, db_index=False)
    kind = models.CharField(max_length=16)
    person = models.ForeignKey(Member, models.PROTECT, db_index=False)
    order_ref = models.CharField(max_length=ORDER_REF_LETTERS)
    at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "membership_offer_use"
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(kind="first_order", returned_at=None),
                name="one_first_order_offer_a_person",
            ),
            models.UniqueConstraint(
                fields=["grant"],
                condition=Q(grant__isnull=False, returned_at=None),
                name="one_order_a_grant",
            ),
            models.CheckConstraint(
                condition=Q(kind="first_order", grant=None)
                | Q(kind="special_price", grant__isnull=False),
                name="a_special_price_was_granted",
            ),
        ]
        indexes = [models.Index(fields=["order_ref"], name="offer_use_by_order")]


class CouponKind(models.Model):
    """What coupons of a kind are worth, for what, and how much all of them together may cost.

    `locked_fen` waits in unpaid orders, `spent_fen` is in paid ones; the database refuses more than `budget_fen`.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=60)
    off_fen = models.BigIntegerField(null=True)
    percent_off = models.PositiveSmallIntegerField(null=True)
    off_max_fen = models.BigIntegerField(null=True)
    min_spend_fen = models.BigIntegerField(default=0)
    scene = models.ForeignKey(Scene, models.PROTECT, null=True, db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, null=True, db_index=False)
    variant = models.ForeignKey(Variant, models.PROTECT, null=True, db_index=False)
    per_person_max = models.PositiveIntegerField(default=1)
    valid_days = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    budget_fen = models.BigIntegerField()
    locked_fen = models.BigIntegerField(default=0)
    spent_fen = models.BigIntegerField(default=0)
    made_at = models.DateTimeField()
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        db_table = "membership_coupon_kind"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    locked_fen__gte=0,
                    spent_fen__gte=0,
                    budget_fen__gte=F("spent_fen") + F("locked_fen"),
                ),
                name="coupons_stay_in_their_budget",
            ),
            models.CheckConstraint(
                condition=Q(
                    off_fen__isnull=False, off_fen__gt=0, percent_off=None, off_max_fen=None
                )
                | Q(off_fen=None, percent_off__isnull=False, percent_off__range=(1, 99))
                & Q(off_max_fen__isnull=False, off_max_fen__gt=0),
                name="a_coupon_takes_an_amount_or_a_bounded_percentage",
            ),
            models.CheckConstraint(condition=_ONE_SCOPE, name="a_coupon_has_one_scope"),
            models.CheckConstraint(
                condition=Q(min_spend_fen__gte=0, per_person_max__gt=0, valid_days__gt=0),
                name="a_coupon_kind_makes_sense",
            ),
        ]


class Coupon(models.Model):
    """One coupon of one person: free, locked by an unpaid order, or used by a paid one; in one order at most.

    `number` counts the coupons of a kind that a person was given, so that two grants at once cannot both be the last.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    kind = models.ForeignKey(CouponKind, models.PROTECT, db_index=False)
    person = models.ForeignKey(Member, models.PROTECT, db_index=False)
    number = models.PositiveIntegerField()
    about = models.CharField(max_length=40, blank=True, default="")
    state = models.CharField(max_length=8, default="free")
    order_ref = models.CharField(max_length=ORDER_REF_LETTERS, null=True, unique=True)  # noqa: DJ001
    off_fen = models.BigIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "membership_coupon"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "person", "number"], name="coupons_of_a_person_are_numbered"
            ),
            models.CheckConstraint(
                condition=Q(
                    state="free", order_ref=None, off_fen=0, locked_until=None, used_at=None
                )
                | Q(
                    state="locked",
                    order_ref__isnull=False,
                    off_fen__gt=0,
                    locked_until__isnull=False,
                    used_at=None,
                )
                | Q(
                    state="used",
                    order_ref__isnull=False,
                    off_fen__gt=0,
                    locked_until=None,
                    used_at__isnull=False,
                ),
                name="a_coupon_is_free_locked_or_used",
            ),
            models.CheckConstraint(
                condition=Q(state__in=COUPON_STATES), name="coupon_in_a_known_state"
            ),
        ]
        indexes = [
            models.Index(
                fields=["person", "expires_at"], name="coupon_to_use", condition=Q(state="free")
            ),
        ]
