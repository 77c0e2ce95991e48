"""Orders, their lines as they were agreed, what a person answered last time, and what may be ordered at all."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from liuke.catalog.models import Product, Variant
from liuke.merchants.models import Merchant
from liuke.orders.rules import CANCEL_REASONS, KEY_LETTERS, ORDER_STATES, REFERENCE_LETTERS
from liuke.people.models import Member


class OrderPolicy(models.Model):
    """What may be ordered and for how long it waits for its money; one row a version, the highest is in force.

    Unpaid orders keep stock from others, so a person has few of them, and so have all guests of one network.
    """

    version = models.AutoField(primary_key=True)
    pay_minutes = models.PositiveIntegerField()
    unpaid_per_person = models.PositiveIntegerField()
    unpaid_per_network = models.PositiveIntegerField()
    quantity_max = models.PositiveIntegerField()
    guest_payable_max_fen = models.BigIntegerField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "orders_policy"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    pay_minutes__range=(1, 1440),
                    unpaid_per_person__gt=0,
                    unpaid_per_network__gt=0,
                    quantity_max__range=(1, 10_000),
                    guest_payable_max_fen__gte=0,
                ),
                name="orders_can_be_placed_and_end",
            ),
        ]


class Order(models.Model):
    """What one member agreed to buy, at which price, and how far it is. Prices never change; a trigger refuses.

    `goods_fen` is what the merchants are owed, `payable_fen` what the member pays; the site adds `subsidy_fen`.
    `refunded_fen` went back to the member. `key` makes a second tap the same order, `content` tells whether it was.
    A guest's order is opened by a token of which only `guest_index` is kept.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=REFERENCE_LETTERS, unique=True)
    member = models.ForeignKey(Member, models.PROTECT, db_index=False)
    person = models.ForeignKey(Member, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=KEY_LETTERS)
    content = models.CharField(max_length=64)
    state = models.CharField(max_length=9, default="placed")
    list_fen = models.BigIntegerField()
    goods_fen = models.BigIntegerField()
    payable_fen = models.BigIntegerField()
    subsidy_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField(default=0)
    coupon_ref = models.CharField(max_length=16, blank=True, default="")
    network_index = models.CharField(max_length=32, blank=True, default="")
    guest_index = models.CharField(max_length=32, null=True, unique=True)  # noqa: DJ001 - absent is not empty
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=8, blank=True, default="")
    refunded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "orders_order"
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="one_order_a_key"),
            models.CheckConstraint(
                condition=Q(state__in=ORDER_STATES), name="order_in_a_known_state"
            ),
            models.CheckConstraint(
                condition=Q(
                    payable_fen__gt=0,
                    subsidy_fen__gte=0,
                    list_fen__gte=F("goods_fen"),
                    goods_fen=F("payable_fen") + F("subsidy_fen"),
                ),
                name="member_and_site_pay_the_goods",
            ),
            models.CheckConstraint(
                condition=Q(refunded_fen__gte=0, refunded_fen__lte=F("payable_fen")),
                name="no_more_goes_back_than_was_paid",
            ),
            models.CheckConstraint(condition=~Q(key=""), name="an_order_has_a_key"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("placed_at")), name="an_order_waits_a_while"
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled", cancelled_at__isnull=False)
                & Q(cancel_reason__in=CANCEL_REASONS)
                | Q(~Q(state="cancelled"), cancelled_at=None, cancel_reason=""),
                name="a_cancelled_order_says_why",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("placed", "cancelled"), paid_at=None, refunded_fen=0)
                | Q(~Q(state__in=("placed", "cancelled")), paid_at__isnull=False),
                name="a_paid_order_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("placed", "cancelled", "paid"), delivered_at=None)
                | Q(state__in=("delivered", "completed"), delivered_at__isnull=False)
                | Q(state="refunded"),
                name="a_delivered_order_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="completed", completed_at__isnull=False)
                | Q(~Q(state="completed"), completed_at=None),
                name="a_completed_order_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="refunded", refunded_at__isnull=False)
                & Q(refunded_fen=F("payable_fen"))
                | Q(~Q(state="refunded"), refunded_at=None, refunded_fen__lt=F("payable_fen")),
                name="a_refunded_order_gave_everything_back",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-id"], name="order_by_person"),
            models.Index(fields=["expires_at"], name="order_unpaid", condition=Q(state="placed")),
            models.Index(
                fields=["network_index"],
                name="order_unpaid_by_network",
                condition=Q(state="placed") & ~Q(network_index=""),
            ),
            models.Index(fields=["paid_at"], name="order_undelivered", condition=Q(state="paid")),
        ]


class Line(models.Model):
    """One thing of an order, as it was called and priced then. Only ever inserted; a trigger refuses the rest.

    `list_fen` is price times quantity, `goods_fen` what the merchant is owed, `total_fen` what the member pays;
    `steps` explain the way from the first to the last. A gift costs the member nothing and the site everything.
    Answers to the product's questions lie open in `answers`, the secret ones sealed in `secrets_sealed`.
    """

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="lines", db_index=False)
    number = models.PositiveSmallIntegerField()
    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, db_index=False)
    variant = models.ForeignKey(Variant, models.PROTECT, db_index=False)
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=80)
    variant_name = models.CharField(max_length=80)
    quantity = models.PositiveIntegerField()
    list_fen = models.BigIntegerField()
    goods_fen = models.BigIntegerField()
    total_fen = models.BigIntegerField()
    steps = models.JSONField()
    is_gift = models.BooleanField(default=False)
    fee_permyriad = models.PositiveIntegerField()
    accept_days = models.PositiveSmallIntegerField()
    arrival_minutes = models.PositiveIntegerField()
    answers = models.JSONField(default=dict)
    secrets_sealed = models.BinaryField(null=True)

    class Meta:
        db_table = "orders_line"
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="lines_are_numbered"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, total_fen__gte=0)
                & Q(total_fen__lte=F("goods_fen"), goods_fen__lte=F("list_fen")),
                name="a_line_is_never_dearer_than_listed",
            ),
            models.CheckConstraint(
                condition=Q(is_gift=False) | Q(is_gift=True, total_fen=0), name="a_gift_is_free"
            ),
        ]
        indexes = [models.Index(fields=["merchant", "-id"], name="line_by_merchant")]


class LastAnswers(models.Model):
    """What a person answered to a product's questions the last time, to be filled in again; secrets are not kept."""

    pk = models.CompositePrimaryKey("person_id", "product_id")
    person = models.ForeignKey(Member, models.CASCADE, related_name="+", db_index=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)
    answers = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        db_table = "orders_last_answers"
