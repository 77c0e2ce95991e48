"""Segments: a rule with a name, who is in, since when, and when that has to be looked at again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from liuke.analytics.segments import grammar
from liuke.analytics.segments.flat import as_filter


class Segment(models.Model):
    """A rule worth a name (`segments.grammar`), and how many are in.

    `reads` is what the rule is read from (`grammar.reads`). `filled_at` is when the present rule was first asked of
    everyone: who was in at that moment did not enter. `action` is what to do for whoever is in, a key as groups have
    it. A shipped one has no name until it is renamed.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    source = models.ForeignKey("analytics.Source", models.PROTECT)
    name = models.CharField(max_length=80, blank=True, default="")
    rule = models.JSONField()
    reads = ArrayField(models.CharField(max_length=12))
    action = models.CharField(max_length=40, blank=True, default="")
    shipped = models.CharField(max_length=40, blank=True, default="")
    members = models.BigIntegerField(default=0)
    filled_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "analytics_segment"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name"],
                condition=Q(retired_at=None) & ~Q(name=""),
                name="one_segment_of_a_name",
            ),
        ]

    @property
    def filter(self) -> dict[str, Any]:
        """The rule as plans and lists keep it: flat where a flat filter finds the same people."""
        return as_filter(self.rule)


class SegmentMember(models.Model):
    """A member who is in a segment `since` then, or, without a `since`, who may come in by time alone.

    `next_eval_at` is never later than the moment at which time alone can change it. Written by the statement that
    joins the standings, so without foreign keys (docs/decisions/0025).
    """

    pk = models.CompositePrimaryKey("segment_id", "member_id")
    member = models.ForeignKey(
        "people.Member", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    segment = models.ForeignKey(
        Segment, models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    since = models.DateTimeField(null=True)
    next_eval_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "analytics_segment_member"
        constraints = [
            models.CheckConstraint(
                condition=Q(since__isnull=False) | Q(next_eval_at__isnull=False),
                name="segment_member_is_in_or_waits",
            ),
        ]
        indexes = [
            # A member's rows lie all over the table; here they lie together, with all that is asked of them.
            models.Index(
                fields=["member", "segment"],
                include=["since", "next_eval_at"],
                name="segment_member_by_member",
            ),
            # With the member, because days are few: equal keys by the hundred thousand take ten times as long.
            models.Index(
                fields=["next_eval_at", "member"],
                name="segment_member_due",
                condition=Q(next_eval_at__isnull=False),
            ),
        ]


class SegmentMove(models.Model):
    """A member entered or left a segment while its rule stayed the same."""

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(
        Segment, models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    member = models.ForeignKey(
        "people.Member", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    at = models.DateTimeField()
    is_entry = models.BooleanField()

    class Meta:
        db_table = "analytics_segment_move"
        indexes = [models.Index(fields=["segment", "at"], name="segment_move_by_moment")]


CHANGES = {"orders": (grammar.FACTS, grammar.PURCHASES), "logins": (grammar.LOGINS,)}


class SegmentNews(models.Model):
    """Something that rules may read has changed for a member: `changed` is a key of `CHANGES`. Gone when judged."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(
        "people.Member", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    changed = models.CharField(max_length=12)

    class Meta:
        db_table = "analytics_segment_news"
