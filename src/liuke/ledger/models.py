"""Accounts, entries and their legs, reservations, and the closed days. Triggers: migrations/0002_guards.py."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from liuke.ledger.accounts import GUARDED, KINDS, AccountName
from liuke.ledger.rules import RESERVATION_STATES


class Account(models.Model):
    """One account. A guarded one keeps its balance here (what we owe, never negative); `None` for the others.

    `reserved_fen` is the sum of pending reservations on it. Only triggers change the two: by legs and reservations.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20)
    owner = models.CharField(max_length=64, blank=True, default="")
    asset = models.CharField(max_length=8)
    balance_fen = models.BigIntegerField(null=True)
    reserved_fen = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "ledger_account"
        constraints = [
            models.UniqueConstraint(fields=["kind", "owner", "asset"], name="one_account_a_name"),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="account_in_the_chart"),
            models.CheckConstraint(
                condition=Q(balance_fen__gte=F("reserved_fen"), reserved_fen__gte=0),
                name="never_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=GUARDED, balance_fen__isnull=False)
                | Q(~Q(kind__in=GUARDED), balance_fen=None, reserved_fen=0),
                name="guarded_accounts_keep_their_balance",
            ),
        ]

    @property
    def name(self) -> AccountName:
        """What rooms call it."""
        return AccountName(self.kind, self.owner)


class Entry(models.Model):
    """One business event in the book, for ever. `key` is derived from the event, so that it is booked once."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=64, blank=True, default="")
    reverses = models.ForeignKey("self", models.PROTECT, null=True, db_index=False)
    at = models.DateTimeField()

    class Meta:
        db_table = "ledger_entry"
        constraints = [
            models.CheckConstraint(condition=~Q(key="") & ~Q(kind=""), name="an_entry_has_a_name"),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="one_reversal_an_entry",
            ),
        ]
        indexes = [
            models.Index(fields=["about", "id"], name="entry_by_about", condition=~Q(about=""))
        ]


class Leg(models.Model):
    """What an entry does to one account: + debit, − credit.

    No foreign keys in the database: entries and accounts are never deleted, the triggers look that both are there, and
    checking one would lock the row of a hot account for every entry.
    """

    pk = models.CompositePrimaryKey("entry_id", "account_id")
    entry = models.ForeignKey(
        Entry, models.PROTECT, related_name="legs", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    amount_fen = models.BigIntegerField()

    class Meta:
        db_table = "ledger_leg"
        constraints = [
            models.CheckConstraint(condition=~Q(amount_fen=0), name="a_leg_moves_something"),
        ]
        indexes = [
            models.Index(fields=["account", "entry"], include=["amount_fen"], name="leg_by_account")
        ]


class Reservation(models.Model):
    """Money set aside for one purpose: pending, then posted (whole or in part), voided or expired, once.

    The entry of a posted one has the key `reservation:{key}`.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=100, unique=True)
    debit = models.ForeignKey(Account, models.PROTECT, related_name="+")
    credit = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    amount_fen = models.BigIntegerField()
    state = models.CharField(max_length=8, default="pending")
    posted_fen = models.BigIntegerField(default=0, db_default=0)
    about = models.CharField(max_length=64, blank=True, default="")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_reservation"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RESERVATION_STATES) & ~Q(key=""),
                name="reservation_in_known_words",
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0) & ~Q(debit=F("credit")),
                name="a_reservation_moves_something",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", ended_at=None)
                | Q(~Q(state="pending"), ended_at__isnull=False),
                name="an_ended_reservation_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="posted", posted_fen__gte=1, posted_fen__lte=F("amount_fen"))
                | Q(~Q(state="posted"), posted_fen=0),
                name="what_is_posted_was_reserved",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], name="reservation_due", condition=Q(state="pending")
            )
        ]


class Day(models.Model):
    """The book as it stood when a day was closed: its entries up to `last_entry_id`, chained by a hash."""

    closed_on = models.DateField(primary_key=True)
    last_entry_id = models.BigIntegerField()
    entry_count = models.BigIntegerField()
    hash = models.BinaryField()
    closed_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_day"


class Checkpoint(models.Model):
    """The sum of an unguarded account's legs up to the close of a day in which it moved."""

    pk = models.CompositePrimaryKey("account_id", "day_id")
    account = models.ForeignKey(Account, models.PROTECT, db_index=False)
    day = models.ForeignKey(Day, models.PROTECT, db_index=False)
    sum_fen = models.BigIntegerField()

    class Meta:
        db_table = "ledger_checkpoint"
