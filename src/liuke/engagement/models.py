"""Whom we wanted to reach, what was decided for each, what took their week, and what was sent."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from liuke.analytics.models import Segment, Source
from liuke.engagement.rules import (
    ARMS,
    CALL_KINDS,
    CALL_OUTCOMES,
    CALL_STATES,
    DECISION_STATES,
    LEAVE_REASONS,
    MESSAGE_STATES,
    PLAN_STATES,
    REASONS,
    RHYTHMS,
    RUN_STATES,
    WEEK_HOURS,
)
from liuke.people.models import Login, Member
from liuke.people.rules import CHANNELS, PURPOSES


class OutreachPolicy(models.Model):
    """What the operator allows outreach to do; one row a version, the highest is in force.

    The cap may be made longer than a week, never shorter. Shares are in ten-thousandths, the brake in thousandths of
    a source's members.
    """

    version = models.AutoField(primary_key=True)
    cap_hours = models.PositiveIntegerField()
    holdout_permyriad = models.PositiveIntegerField()
    allowed_from = models.TimeField()
    allowed_until = models.TimeField()
    zones_when_unknown = models.JSONField()
    brake_permille = models.PositiveIntegerField()
    wait_hours_max = models.PositiveIntegerField()
    send_within_hours = models.PositiveIntegerField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "engagement_outreach_policy"
        constraints = [
            models.CheckConstraint(
                condition=Q(cap_hours__range=(WEEK_HOURS, 9000)), name="never_more_than_once_a_week"
            ),
            models.CheckConstraint(
                condition=Q(holdout_permyriad__lte=5000, brake_permille__range=(1, 1000)),
                name="shares_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(allowed_from__lt=F("allowed_until")),
                name="the_day_opens_before_it_closes",
            ),
            models.CheckConstraint(
                condition=Q(wait_hours_max__range=(1, 2160), send_within_hours__range=(1, 160)),
                name="waiting_ends",
            ),
        ]


class Switch(models.Model):
    """The one row that stops everything: while `is_stopped`, nothing is decided, claimed or sent."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    is_stopped = models.BooleanField(default=False)
    since = models.DateTimeField(null=True)
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")
    salt = models.CharField(max_length=32)

    class Meta:
        db_table = "engagement_switch"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_switch")]


class HoldOut(models.Model):
    """Whether a person belongs to the few who never get marketing; drawn once and kept for ever (a trigger refuses)."""

    person = models.OneToOneField(Member, models.PROTECT, primary_key=True, db_constraint=False)
    bucket = models.PositiveSmallIntegerField()
    share_permyriad = models.PositiveIntegerField()
    is_held_out = models.BooleanField()
    drawn_at = models.DateTimeField()

    class Meta:
        db_table = "engagement_hold_out"
        constraints = [
            models.CheckConstraint(condition=Q(bucket__lt=10_000), name="buckets_are_0_to_9999"),
        ]


class TroubleFlag(models.Model):
    """An agent says this member has trouble: care instead of offers until a day, or until it is closed."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(Member, models.CASCADE, db_constraint=False)
    why = models.CharField(max_length=300)
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")
    raised_at = models.DateTimeField()
    until = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engagement_trouble_flag"


class Plan(models.Model):
    """Something we mean to say to a kind of member. What exactly is in its versions."""

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    source = models.ForeignKey(Source, models.PROTECT)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8)
    rhythm = models.CharField(max_length=8)
    next_run_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "engagement_plan"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=PLAN_STATES, rhythm__in=RHYTHMS), name="plan_in_known_words"
            ),
            models.CheckConstraint(
                condition=Q(next_run_at=None) | Q(state="active", rhythm="daily"),
                name="only_an_active_daily_plan_runs_itself",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_run_at"], name="plan_due", condition=Q(next_run_at__isnull=False)
            )
        ]


class PlanVersion(models.Model):
    """One wording and audience of a plan, never changed: an edit makes the next version, and a run keeps its own."""

    id = models.BigAutoField(primary_key=True)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    template = models.CharField(max_length=40, blank=True, default="")
    segment = models.ForeignKey(Segment, models.PROTECT, null=True)
    audience = models.JSONField()
    purpose = models.CharField(max_length=10)
    channel = models.CharField(max_length=8)
    subject = models.CharField(max_length=120, blank=True, default="")
    body = models.TextField(max_length=2000)
    offer = models.CharField(max_length=120, blank=True, default="")
    offer_worth_fen = models.BigIntegerField(default=0)
    cost_each_fen = models.BigIntegerField(default=0)
    control_permyriad = models.PositiveIntegerField()
    window_days = models.PositiveIntegerField()
    again_after_days = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "engagement_plan_version"
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_versions_are_numbered"),
            models.CheckConstraint(
                condition=Q(channel__in=CHANNELS, purpose__in=PURPOSES),
                name="plan_on_a_known_channel",
            ),
            models.CheckConstraint(
                condition=Q(offer_worth_fen__gte=0, cost_each_fen__gte=0),
                name="costs_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(control_permyriad__lte=9000, window_days__range=(1, 180)),
                name="plan_can_be_measured",
            ),
        ]


class Run(models.Model):
    """One carrying-out of a plan version: its candidates are its decisions."""

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="runs")
    version = models.ForeignKey(PlanVersion, models.PROTECT)
    state = models.CharField(max_length=8)
    planned_on = models.DateField()
    candidates = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "engagement_run"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RUN_STATES), name="run_in_a_known_state"),
            models.UniqueConstraint(fields=["plan", "planned_on"], name="one_run_a_day"),
            models.UniqueConstraint(
                fields=["plan"], condition=Q(ended_at=None), name="one_run_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("running", "paused"), ended_at=None)
                | Q(state__in=("finished", "stopped"), ended_at__isnull=False),
                name="an_ended_run_says_when",
            ),
        ]


class Decision(models.Model):
    """What the gate decided for one candidate of a run, and why. One row, one reason."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        Run, models.CASCADE, db_constraint=False, related_name="decisions", db_index=False
    )
    member = models.ForeignKey(Member, models.PROTECT, db_constraint=False, db_index=False)
    person = models.ForeignKey(
        Member, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    state = models.PositiveSmallIntegerField(default=0, db_default=0)
    arm = models.CharField(max_length=8, blank=True, default="", db_default="")
    reason = models.CharField(max_length=16, blank=True, default="", db_default="")
    decided_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engagement_decision"
        constraints = [
            models.UniqueConstraint(fields=["run", "member"], name="one_decision_a_candidate"),
            models.CheckConstraint(
                condition=Q(
                    state__in=DECISION_STATES, arm__in=("", *ARMS), reason__in=("", *REASONS)
                ),
                name="decision_in_known_words",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(0, 2), reason="") | Q(state__in=(1, 3)) & ~Q(reason=""),
                name="waiting_and_done_say_why",
            ),
            models.CheckConstraint(
                condition=Q(state=1, due_at__isnull=False, expires_at__isnull=False) | ~Q(state=1),
                name="waiting_has_an_end",
            ),
        ]
        indexes = [
            models.Index(fields=["run", "state"], name="decision_by_run"),
            models.Index(fields=["due_at"], name="decision_due", condition=Q(state=1)),
            models.Index(fields=["member", "-id"], name="decision_by_member"),
            models.Index(fields=["person"], name="decision_by_person"),
        ]


class Contact(models.Model):
    """A person's week, taken. No two that overlap, whoever inserts them: the database refuses.

    `is_ghost` marks a control member's week: taken as the treated one's would be, with nothing sent. Given back only
    when the message definitely never reached a provider.
    """

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Member, models.PROTECT, db_constraint=False, db_index=False)
    decision = models.OneToOneField(Decision, models.PROTECT, db_constraint=False)
    is_ghost = models.BooleanField(default=False)
    claimed_at = models.DateTimeField()
    during = DateTimeRangeField()
    given_back_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engagement_contact"
        constraints = [
            ExclusionConstraint(
                name="at_most_one_contact_a_week",
                expressions=[("person", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(given_back_at=None),
            ),
        ]


class Pressure(models.Model):
    """Until when a person's week is taken: what the gate asks first. `Contact` is what may not be wrong."""

    person = models.OneToOneField(Member, models.CASCADE, primary_key=True, db_constraint=False)
    taken_until = models.DateTimeField()

    class Meta:
        db_table = "engagement_pressure"


class Message(models.Model):
    """The outbox: what one treated member gets, written in the transaction that took their week."""

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    decision = models.OneToOneField(Decision, models.PROTECT, db_constraint=False)
    contact = models.OneToOneField(Contact, models.PROTECT, null=True)
    member = models.ForeignKey(Member, models.PROTECT, db_constraint=False, db_index=False)
    person = models.ForeignKey(
        Member, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    purpose = models.CharField(max_length=10)
    channel = models.CharField(max_length=8)
    subject = models.CharField(max_length=200, blank=True, default="")
    body = models.TextField(blank=True, default="")
    state = models.CharField(max_length=10)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=128, blank=True, default="")
    failure = models.CharField(max_length=200, blank=True, default="")
    opened_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "engagement_message"
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="service") | Q(contact__isnull=False),
                name="marketing_takes_a_week",
            ),
            models.CheckConstraint(
                condition=Q(state__in=MESSAGE_STATES, channel__in=CHANNELS, purpose__in=PURPOSES),
                name="message_in_known_words",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "sending"), ended_at=None)
                | Q(
                    state__in=("accepted", "rejected", "unknown", "cancelled"),
                    ended_at__isnull=False,
                ),
                name="an_ended_message_says_when",
            ),
            models.UniqueConstraint(
                fields=["channel", "provider_id"],
                condition=~Q(provider_id=""),
                name="one_message_per_provider_id",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "due_at"],
                name="message_due",
                condition=Q(state__in=("queued", "sending")),
            ),
            models.Index(fields=["person", "-id"], name="message_by_person"),
        ]


class Call(models.Model):
    """Somebody to ring: from a plan on the list channel, or because they have trouble."""

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=8)
    member = models.ForeignKey(Member, models.PROTECT, db_constraint=False)
    message = models.OneToOneField(Message, models.PROTECT, null=True)
    trouble = models.OneToOneField(TroubleFlag, models.PROTECT, null=True)
    state = models.CharField(max_length=8)
    tries = models.PositiveSmallIntegerField(default=0)
    again_at = models.DateTimeField(null=True)
    taken_by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")
    taken_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, blank=True, default="")
    leave_reason = models.CharField(max_length=16, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    made_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engagement_call"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=CALL_KINDS, state__in=CALL_STATES)
                & Q(outcome__in=("", *CALL_OUTCOMES), leave_reason__in=("", *LEAVE_REASONS)),
                name="call_in_known_words",
            ),
            models.CheckConstraint(
                condition=Q(kind="recall", message__isnull=False, trouble=None)
                | Q(kind="care", message=None, trouble__isnull=False),
                name="a_call_says_where_it_comes_from",
            ),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False) & ~Q(outcome="")
                | Q(state__in=("open", "taken"), done_at=None, outcome=""),
                name="a_done_call_has_its_outcome",
            ),
            models.CheckConstraint(
                condition=Q(state="open", taken_by=None) | ~Q(state="open"),
                name="an_open_call_is_nobodys",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "kind", "id"], name="call_queue"),
        ]
