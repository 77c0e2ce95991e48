"""The log and its queue. The log is only appended to: triggers refuse UPDATE, DELETE, TRUNCATE."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Event(models.Model):
    """One thing that happened, for ever.

    `member` is a plain id without a foreign key: the log outlives what it speaks of.
    `transaction_id` lets a consumer that keeps a cursor read below the oldest running transaction,
    never by id alone: ids are handed out before commit, so a smaller one may appear after a larger.
    """

    id = models.BigAutoField(primary_key=True)
    transaction_id = models.BigIntegerField()
    name = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField()
    member = models.BigIntegerField(null=True)
    payload = models.JSONField()
    happened_at = models.DateTimeField()
    happened_on = models.DateField()

    class Meta:
        db_table = "events_event"
        indexes = [
            models.Index(fields=["transaction_id", "id"], name="event_by_transaction"),
            models.Index(fields=["name", "id"], name="event_by_name"),
            models.Index(
                fields=["member", "id"],
                name="event_by_member",
                condition=models.Q(member__isnull=False),
            ),
        ]


class Shift(models.Model):
    """One row at most: what is added to the server's transaction numbers so that they only grow.

    A database restored into a fresh server would otherwise number new events below the old ones.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    transactions = models.BigIntegerField()

    class Meta:
        db_table = "events_shift"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_shift")]


class Pending(models.Model):
    """An event with reactions still to run, named one by one. The row goes when all are done.

    `due_at` is empty until something failed: fresh events are due whatever the clock says.
    """

    event = models.OneToOneField(Event, models.DO_NOTHING, primary_key=True, db_constraint=False)
    reactions = ArrayField(models.CharField(max_length=120))
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(null=True)
    gave_up_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", db_default="", blank=True)

    class Meta:
        db_table = "events_pending"
        indexes = [
            models.Index(
                fields=["due_at"], name="pending_retry", condition=models.Q(due_at__isnull=False)
            ),
            models.Index(
                fields=["gave_up_at"],
                name="pending_stuck",
                condition=models.Q(gave_up_at__isnull=False),
            ),
        ]


class Reacted(models.Model):
    """(event, reaction) done: written in the effect's own transaction, so it happens once."""

    pk = models.CompositePrimaryKey("event_id", "reaction")
    event = models.ForeignKey(Event, models.DO_NOTHING, db_constraint=False, db_index=False)
    reaction = models.CharField(max_length=120)

    class Meta:
        db_table = "events_reacted"
