"""What members are shown: lists made at night, what was shown and clicked, and what came of it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from liuke.analytics.showing import (
    OWN_SLOTS,
    REASON_LETTERS,
    REASONS,
    SHOWN_MOST,
    SLOT_LETTERS,
    SLOTS,
)
from liuke.catalog.models import Product
from liuke.people.models import Member


class Suggestion(models.Model):
    """One product in a list of a person's own, and why.

    `because` is the product of theirs that speaks for it, `times` how often they bought or viewed it, `was_fen` what a
    followed one cost. Written for everybody at once every night, so without foreign keys (docs/decisions/0025).
    """

    pk = models.CompositePrimaryKey("person_id", "slot", "place")
    person = models.ForeignKey(
        Member, models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    slot = models.CharField(max_length=SLOT_LETTERS)
    place = models.PositiveSmallIntegerField()
    product = models.ForeignKey(
        Product, models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    reason = models.CharField(max_length=REASON_LETTERS)
    because = models.ForeignKey(
        Product, models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    times = models.IntegerField(default=0)
    was_fen = models.BigIntegerField(null=True)

    class Meta:
        db_table = "analytics_suggestion"
        constraints = [
            models.CheckConstraint(
                condition=Q(slot__in=OWN_SLOTS, reason__in=REASONS, place__gte=1),
                name="suggestion_in_known_words",
            ),
        ]


class Alongside(models.Model):
    """What is bought together with a product, or by those who own it."""

    pk = models.CompositePrimaryKey("product_id", "place")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)
    place = models.PositiveSmallIntegerField()
    other = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        db_table = "analytics_alongside"
        constraints = [
            models.CheckConstraint(
                condition=Q(place__gte=1) & ~Q(product=F("other")),
                name="nothing_goes_with_itself",
            ),
        ]


class Popular(models.Model):
    """What many buy, of one scene or, with an empty `scene`, at all. `persons` bought it within a week."""

    pk = models.CompositePrimaryKey("scene", "place")
    scene = models.CharField(max_length=24, blank=True)
    place = models.PositiveSmallIntegerField()
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)
    persons = models.IntegerField()

    class Meta:
        db_table = "analytics_popular"
        constraints = [
            models.CheckConstraint(
                condition=Q(place__gte=1, persons__gte=0), name="popular_is_counted"
            ),
        ]


class ShelfDay(models.Model):
    """What a listed product cost at least on a day, and whether there was some each time we looked."""

    pk = models.CompositePrimaryKey("product_id", "on")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)
    on = models.DateField()
    from_fen = models.BigIntegerField()
    is_in_stock = models.BooleanField()

    class Meta:
        db_table = "analytics_shelf_day"
        constraints = [
            models.CheckConstraint(condition=Q(from_fen__gte=0), name="shelf_price_is_a_price"),
        ]


class Listed(models.Model):
    """Since when a person is chosen for, or, held out, would be: the two groups that are compared. Never changed."""

    person = models.OneToOneField(
        Member, models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    since = models.DateTimeField()
    is_held_out = models.BooleanField()
    share_permyriad = models.PositiveIntegerField()

    class Meta:
        db_table = "analytics_listed"
        constraints = [
            models.CheckConstraint(
                condition=Q(share_permyriad__lte=10_000), name="listed_by_a_share"
            ),
        ]


class Showing(models.Model):
    """What one person was shown in one slot on a site-local day: each product once, with its reason.

    `clicks` are those of `products` that they opened from there.
    """

    pk = models.CompositePrimaryKey("person_id", "on", "slot")
    person = models.ForeignKey(Member, models.CASCADE, related_name="+", db_index=False)
    on = models.DateField()
    slot = models.CharField(max_length=SLOT_LETTERS)
    products = ArrayField(models.BigIntegerField())
    reasons = ArrayField(models.CharField(max_length=REASON_LETTERS))
    clicks = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        db_table = "analytics_showing"
        constraints = [
            models.CheckConstraint(condition=Q(slot__in=SLOTS), name="shown_in_a_known_slot"),
            models.CheckConstraint(
                condition=Q(products__len__range=(1, SHOWN_MOST), reasons__len=F("products__len"))
                & Q(clicks__contained_by=F("products"), reasons__contained_by=list(REASONS)),
                name="shown_with_reasons",
            ),
        ]
        indexes = [BrinIndex(fields=["on"], name="showing_by_day")]


class ShowingReport(models.Model):
    """What came of what is shown, as counted on a day; the latest is the one that pages show."""

    on = models.DateField(primary_key=True)
    made_at = models.DateTimeField()
    report = models.JSONField()

    class Meta:
        db_table = "analytics_showing_report"
