"""What was handed over for each line, the keys in it, the steps of work done by hand, and what was rejected."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from liuke.catalog.models import CardKey
from liuke.delivery.rules import (
    DELIVERY_STATES,
    NOTE_LETTERS,
    REJECT_REASONS,
    REJECTION_STATES,
    STEP_LETTERS,
)
from liuke.orders.models import Line, Order
from liuke.people.models import Login, Member


class DeliveryPolicy(models.Model):
    """When a rejection is granted by itself; one row a version, the highest is in force.

    More than `rejections_max` of a person within `window_days`, or more money than `automatic_max_fen` at once, and a
    person decides.
    """

    version = models.AutoField(primary_key=True)
    rejections_max = models.PositiveIntegerField()
    window_days = models.PositiveIntegerField()
    automatic_max_fen = models.BigIntegerField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "delivery_policy"
        constraints = [
            models.CheckConstraint(
                condition=Q(window_days__range=(1, 365), automatic_max_fen__gte=0),
                name="rejections_are_counted_over_days",
            ),
        ]


class Delivery(models.Model):
    """One line handed over, or waiting for somebody's hands. Accepted by the member, or by time at `due_at`.

    `refunded_fen` of the line's total went back to the member, `returned_goods_fen` of its goods is owed to the
    merchant no more. Returned: all of it.
    """

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="deliveries")
    line = models.OneToOneField(Line, models.PROTECT)
    state = models.CharField(max_length=9)
    refunded_fen = models.BigIntegerField(default=0)
    returned_goods_fen = models.BigIntegerField(default=0)
    promised_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    is_accepted_by_time = models.BooleanField(default=False)
    returned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "delivery_delivery"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DELIVERY_STATES), name="delivery_in_a_known_state"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", delivered_at=None, due_at=None, accepted_at=None)
                & Q(returned_at=None)
                | Q(state="delivered", delivered_at__isnull=False, due_at__isnull=False)
                & Q(accepted_at=None, returned_at=None)
                | Q(state="accepted", delivered_at__isnull=False, accepted_at__isnull=False)
                & Q(returned_at=None)
                | Q(state="returned", returned_at__isnull=False, accepted_at=None),
                name="a_delivery_says_when",
            ),
            models.CheckConstraint(
                condition=Q(is_accepted_by_time=False) | Q(state="accepted"),
                name="time_accepts_only_what_is_accepted",
            ),
            models.CheckConstraint(
                condition=Q(refunded_fen__gte=0, returned_goods_fen__gte=0),
                name="what_went_back_is_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="delivery_due", condition=Q(state="delivered")),
            models.Index(
                fields=["promised_at"], name="delivery_waiting", condition=Q(state="waiting")
            ),
        ]


class DeliveredKey(models.Model):
    """A card key in a delivery. One delivery a key, ever."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="keys", db_index=False)
    key = models.OneToOneField(CardKey, models.PROTECT)
    seq = models.PositiveIntegerField()
    revealed_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "delivery_delivered_key"
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "seq"], name="keys_of_a_delivery_are_numbered"
            ),
            models.CheckConstraint(
                condition=Q(tried_at=None) | Q(revealed_at__isnull=False),
                name="nobody_tries_what_they_have_not_seen",
            ),
        ]


class Step(models.Model):
    """What was done by hand for a line: what the member reads, and the proof. Only ever appended to."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="steps")
    text = models.CharField(max_length=STEP_LETTERS)
    proof = models.CharField(max_length=STEP_LETTERS, blank=True, default="")
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        db_table = "delivery_step"
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="a_step_says_something"),
        ]


class Rejection(models.Model):
    """The member says that a delivery, or one key of it, is not what was bought; granted by itself or by a person."""

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="rejections")
    key = models.ForeignKey(DeliveredKey, models.PROTECT, null=True, db_index=False)
    person = models.ForeignKey(Member, models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=20)
    note = models.CharField(max_length=NOTE_LETTERS, blank=True, default="")
    state = models.CharField(max_length=8)
    is_automatic = models.BooleanField(default=False)
    answer = models.CharField(max_length=NOTE_LETTERS, blank=True, default="")
    refunded_fen = models.BigIntegerField(default=0)
    rejected_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        db_table = "delivery_rejection"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=REJECTION_STATES, reason__in=REJECT_REASONS),
                name="rejection_in_known_words",
            ),
            models.CheckConstraint(
                condition=Q(state="open", settled_at=None, refunded_fen=0)
                | Q(state="granted", settled_at__isnull=False)
                | Q(state="refused", settled_at__isnull=False, refunded_fen=0) & ~Q(answer=""),
                name="a_settled_rejection_says_when",
            ),
            models.UniqueConstraint(
                fields=["delivery"],
                condition=Q(state="open", key=None),
                name="one_open_rejection_a_delivery",
            ),
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(key__isnull=False) & ~Q(state="refused"),
                name="one_rejection_a_key",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-rejected_at"], name="rejection_by_person"),
            models.Index(fields=["rejected_at"], name="rejection_open", condition=Q(state="open")),
        ]
