"""Payments, what gateways told us, refunds, and what does not fit. Triggers: migrations/0002_guards.py."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from liuke.orders.models import Order
from liuke.payments.rules import (
    DISCREPANCY_KINDS,
    GATEWAYS,
    PAYMENT_STATES,
    REFUND_STATES,
    SETTLED_BY,
)
from liuke.people.models import Login


class Payment(models.Model):
    """One attempt to pay an order by one gateway; the gateway knows it by `reference`, we know its as `trade_no`.

    `pays_order` is true for the one payment of which the order lives; any other that was paid goes back.
    `due_at` says when the gateway is asked about it; `refunded_fen` is kept by a trigger.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=24, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="payments")
    gateway = models.CharField(max_length=16)
    amount_fen = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, default="open")
    pay_url = models.CharField(max_length=500, blank=True, default="")
    trade_no = models.CharField(max_length=64, blank=True, default="")
    pays_order = models.BooleanField(default=False)
    refunded_fen = models.BigIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    polls = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "payments_payment"
        constraints = [
            models.CheckConstraint(
                condition=Q(gateway__in=GATEWAYS, state__in=PAYMENT_STATES, amount_fen__gt=0),
                name="payment_in_known_words",
            ),
            models.UniqueConstraint(
                fields=["order"], condition=Q(pays_order=True), name="one_payment_pays_an_order"
            ),
            models.UniqueConstraint(
                fields=["order", "gateway"],
                condition=Q(state="open"),
                name="one_open_payment_a_gateway",
            ),
            models.UniqueConstraint(
                fields=["gateway", "trade_no"],
                condition=~Q(trade_no=""),
                name="a_trade_is_one_payment",
            ),
            models.CheckConstraint(
                condition=Q(~Q(trade_no=""), state="paid", paid_at__isnull=False)
                | Q(~Q(state="paid"), paid_at=None, pays_order=False, refunded_fen=0),
                name="a_paid_payment_has_its_trade",
            ),
            models.CheckConstraint(
                condition=Q(refunded_fen__gte=0, refunded_fen__lte=F("amount_fen")),
                name="refunds_stay_within_the_payment",
            ),
            models.CheckConstraint(
                condition=Q(state="open", due_at__isnull=False)
                | Q(state="closed")
                | Q(state__in=("paid", "odd"), due_at=None),
                name="an_open_payment_is_asked_about",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="payment_due", condition=Q(due_at__isnull=False)),
        ]


class GatewayNotice(models.Model):
    """What a gateway told us, as it came, once its signature was found good; told again it is the same row."""

    id = models.BigAutoField(primary_key=True)
    gateway = models.CharField(max_length=16)
    notice_id = models.CharField(max_length=64)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True)
    raw = models.BinaryField()
    headers = models.JSONField()
    became = models.CharField(max_length=16, blank=True, default="")
    received_at = models.DateTimeField()

    class Meta:
        db_table = "payments_gateway_notice"
        constraints = [
            models.UniqueConstraint(fields=["gateway", "notice_id"], name="a_notice_is_taken_once"),
        ]


class Discrepancy(models.Model):
    """Money or news that does not fit, for a person to settle. With `is_booked` its money waits in suspense."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16)
    gateway = models.CharField(max_length=16)
    trade_no = models.CharField(max_length=64)
    told_reference = models.CharField(max_length=64, blank=True, default="")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="discrepancies")
    amount_fen = models.BigIntegerField()
    currency = models.CharField(max_length=8)
    is_booked = models.BooleanField()
    found_at = models.DateTimeField()
    settled_by = models.CharField(max_length=8, blank=True, default="")
    settled_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True, default="")
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "payments_discrepancy"
        constraints = [
            models.UniqueConstraint(fields=["gateway", "trade_no"], name="one_discrepancy_a_trade"),
            models.CheckConstraint(
                condition=Q(kind__in=DISCREPANCY_KINDS), name="discrepancy_in_known_words"
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by="")
                | Q(settled_at__isnull=False, settled_by__in=SETTLED_BY),
                name="a_settled_discrepancy_says_how",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="discrepancy_open", condition=Q(settled_at=None))
        ]


class Refund(models.Model):
    """Money on its way back, of a payment or of a discrepancy. The gateway knows it by `reference`, so that it is
    paid once however often it is asked for. Until it is done the money stands in the account refund_due of `owner`.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=24, unique=True)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="refunds")
    discrepancy = models.OneToOneField(Discrepancy, models.PROTECT, null=True)
    owner = models.CharField(max_length=64)
    gateway = models.CharField(max_length=16)
    trade_no = models.CharField(max_length=64)
    amount_fen = models.BigIntegerField()
    why = models.CharField(max_length=40)
    state = models.CharField(max_length=8, default="pending")
    to_wallet = models.BooleanField(default=False)
    provider_id = models.CharField(max_length=64, blank=True, default="")
    problem = models.CharField(max_length=120, blank=True, default="")
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "payments_refund"
        constraints = [
            models.CheckConstraint(
                condition=Q(gateway__in=GATEWAYS, state__in=REFUND_STATES, amount_fen__gt=0),
                name="refund_in_known_words",
            ),
            models.CheckConstraint(
                condition=Q(payment__isnull=False, discrepancy=None)
                | Q(payment=None, discrepancy__isnull=False),
                name="a_refund_is_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", due_at__isnull=False, done_at=None)
                | Q(state="failed", due_at=None, done_at=None)
                | Q(state="done", due_at=None, done_at__isnull=False),
                name="a_pending_refund_is_tried_again",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="refund_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["id"], name="refund_failed", condition=Q(state="failed")),
        ]

    @property
    def order(self) -> Order | None:
        """Whose order it is about; None for money that came for none."""
        payment = self.payment or (self.discrepancy.payment if self.discrepancy else None)
        return payment.order if payment else None
