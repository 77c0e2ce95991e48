"""Segments: a rule with a name, who is in, since when, and when that has to be looked at again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

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


class MemberSegments(models.Model):
    """The ids of the segments a member is in, ascending, and for each the day since which.

    `next_on` is never later than the first day on which time alone can change that. A row a member, because an order
    touches many segments of one member: docs/decisions/0045. Written by the statement that joins the standings, so
    without foreign keys (docs/decisions/0025).
    """

    member = models.OneToOneField(
        "people.Member", models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    inside = ArrayField(models.BigIntegerField())
    since_on = ArrayField(models.DateField())
    next_on = models.DateField(null=True)

    class Meta:
        db_table = "analytics_member_segments"
        constraints = [
            models.CheckConstraint(
                condition=Q(inside__len=F("since_on__len")), name="segments_have_their_days"
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
