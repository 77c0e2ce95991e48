"""What we know of members: purchases as they came, facts kept while they come, and where each member stands."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from liuke.analytics.behaviour import BATCH_LETTERS, KINDS, OF_PERSONS, TEXT_LETTERS
from liuke.analytics.forecast_models import Forecast as Forecast
from liuke.analytics.forecast_models import ForecastRun as ForecastRun
from liuke.analytics.rules import GROUP_BOUNDS, STAGE_CODES
from liuke.analytics.segment_models import MemberSegments as MemberSegments
from liuke.analytics.segment_models import Segment as Segment
from liuke.analytics.segment_models import SegmentMove as SegmentMove
from liuke.analytics.segment_models import SegmentNews as SegmentNews
from liuke.analytics.showing_models import Alongside as Alongside
from liuke.analytics.showing_models import Listed as Listed
from liuke.analytics.showing_models import Popular as Popular
from liuke.analytics.showing_models import ShelfDay as ShelfDay
from liuke.analytics.showing_models import Showing as Showing
from liuke.analytics.showing_models import ShowingReport as ShowingReport
from liuke.analytics.showing_models import Suggestion as Suggestion
from liuke.people.models import Login, Member


class Source(models.Model):
    """Where orders come from: an imported log, or the shop itself. One currency, one time zone each.

    `segments_on` is the last day for which everyone whom it might move in or out of a segment was looked at.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64)
    opened_at = models.DateTimeField()
    segments_on = models.DateField(null=True)

    class Meta:
        db_table = "analytics_source"
        constraints = [
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="currency_is_iso"
            ),
        ]


class Import(models.Model):
    """One file taken in, with what became of every line of it."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, models.PROTECT)
    file_name = models.CharField(max_length=255)
    mapping = models.JSONField()
    lines = models.BigIntegerField()
    accepted = models.BigIntegerField()
    rejected = models.BigIntegerField()
    blank = models.BigIntegerField()
    rounded = models.BigIntegerField()
    orders_new = models.BigIntegerField()
    orders_known = models.BigIntegerField()
    members_new = models.BigIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    class Meta:
        db_table = "analytics_import"
        constraints = [
            models.CheckConstraint(
                condition=Q(lines=F("accepted") + F("rejected") + F("blank")),
                name="no_line_is_lost",
            ),
        ]


class Purchase(models.Model):
    """One order (or, with a negative amount, one return).

    `digest` makes a re-import harmless: 64 bits of an MD5 over the order number where there is one, else over
    moment, amount, quantity and k-th occurrence, so that identical lines inside a file stay. It only has to tell
    the orders of one member apart. Purchases are written by one statement that joins the members, a million at a
    time, so the reference to the member is checked by the audit instead of by a trigger a row (docs/decisions/0025).
    """

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(Member, models.PROTECT, db_constraint=False, db_index=False)
    origin = models.ForeignKey(
        Import, models.PROTECT, null=True, db_constraint=False, db_index=False
    )
    digest = models.BigIntegerField()
    order_number = models.CharField(max_length=128, null=True)  # noqa: DJ001 - absent is not empty
    at = models.DateTimeField()
    on = models.DateField()
    amount_fen = models.BigIntegerField()
    quantity = models.BigIntegerField()

    class Meta:
        db_table = "analytics_purchase"
        constraints = [
            models.UniqueConstraint(fields=["member", "digest"], name="one_purchase_per_digest"),
        ]
        indexes = [
            models.Index(fields=["member", "on"], name="purchase_by_member"),
            BrinIndex(fields=["origin"], name="purchase_by_import"),
        ]


class PurchaseLine(models.Model):
    """One item of a purchase, where the log names items. `line` is where it stood in the imported file."""

    pk = models.CompositePrimaryKey("purchase_id", "line")
    purchase = models.ForeignKey(Purchase, models.CASCADE, db_constraint=False, db_index=False)
    line = models.BigIntegerField()
    item = models.CharField(max_length=200)
    quantity = models.BigIntegerField()
    amount_fen = models.BigIntegerField()

    class Meta:
        db_table = "analytics_purchase_line"


class MemberFacts(models.Model):
    """Running figures of one member, kept by increments; `liuke rebuild facts` recounts and compares them."""

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, db_constraint=False)
    orders = models.BigIntegerField()
    order_days = models.BigIntegerField()
    returns = models.BigIntegerField()
    first_on = models.DateField(null=True)
    last_on = models.DateField(null=True)
    spent_fen = models.BigIntegerField()
    returned_fen = models.BigIntegerField()

    class Meta:
        db_table = "analytics_member_facts"
        constraints = [
            models.CheckConstraint(
                condition=Q(orders__gte=0, returns__gte=0, spent_fen__gte=0, returned_fen__gte=0),
                name="facts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(orders=0, order_days=0, first_on=None, last_on=None)
                | Q(
                    orders__gt=0,
                    order_days__gt=0,
                    first_on__isnull=False,
                    last_on__isnull=False,
                    first_on__lte=F("last_on"),
                ),
                name="facts_have_days_when_orders",
            ),
            models.CheckConstraint(
                condition=Q(order_days__lte=F("orders")), name="facts_days_within_orders"
            ),
        ]


class RetentionPolicy(models.Model):
    """The operator's thresholds, one row a version; the highest version is in force.

    A warning is given when the member has `warn_orders_min` orders or more, at most
    `warn_normal_permille` in a thousand of their own gaps would be as long as the present wait, and they
    have been away no longer than `warn_lost_after_days`.
    """

    version = models.AutoField(primary_key=True)
    silent_after_days = models.PositiveIntegerField()
    churned_after_days = models.PositiveIntegerField()
    return_grace_days = models.PositiveIntegerField()
    middle_orders_min = models.PositiveIntegerField()
    middle_orders_max = models.PositiveIntegerField()
    warn_normal_permille = models.PositiveIntegerField()
    warn_orders_min = models.PositiveIntegerField()
    warn_lost_after_days = models.PositiveIntegerField()
    stake_horizon_days = models.PositiveIntegerField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "analytics_retention_policy"
        constraints = [
            models.CheckConstraint(
                condition=Q(silent_after_days__gt=0)
                & Q(churned_after_days__gt=F("silent_after_days") + F("return_grace_days")),
                name="silent_comes_before_churned",
            ),
            models.CheckConstraint(
                condition=Q(middle_orders_min__gt=1, middle_orders_max__gte=F("middle_orders_min")),
                name="middle_is_a_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    warn_normal_permille__range=(1, 500),
                    warn_orders_min__gt=1,
                    stake_horizon_days__gt=0,
                ),
                name="warnings_make_sense",
            ),
        ]


class RfmGroup(models.Model):
    """One named group. The first group by `priority` whose bounds hold takes the member; null means no bound."""

    key = models.SlugField(max_length=40, primary_key=True)
    name = models.CharField(max_length=80, blank=True, default="")
    priority = models.PositiveIntegerField(unique=True)
    action = models.CharField(max_length=40, blank=True, default="")
    days_min = models.IntegerField(null=True)
    days_max = models.IntegerField(null=True)
    orders_min = models.IntegerField(null=True)
    orders_max = models.IntegerField(null=True)
    total_min_fen = models.BigIntegerField(null=True)
    total_max_fen = models.BigIntegerField(null=True)
    r_min = models.SmallIntegerField(null=True)
    r_max = models.SmallIntegerField(null=True)
    f_min = models.SmallIntegerField(null=True)
    f_max = models.SmallIntegerField(null=True)
    m_min = models.SmallIntegerField(null=True)
    m_max = models.SmallIntegerField(null=True)

    class Meta:
        db_table = "analytics_rfm_group"
        ordering = ["priority"]

    def bounds(self) -> dict[str, int]:
        """Those bounds that are set, by name."""
        found = {name: getattr(self, name) for name in GROUP_BOUNDS}
        return {name: bound for name, bound in found.items() if bound is not None}


class StageMove(models.Model):
    """A member entered a stage on a day, and the figures that put them there."""

    pk = models.CompositePrimaryKey("member_id", "since_on")
    member = models.ForeignKey(Member, models.CASCADE, db_constraint=False, db_index=False)
    stage = models.SmallIntegerField()
    previous_stage = models.SmallIntegerField(null=True)
    since_on = models.DateField()
    orders = models.BigIntegerField()
    last_order_on = models.DateField()
    threshold_days = models.IntegerField()
    policy = models.ForeignKey(RetentionPolicy, models.PROTECT, db_constraint=False, db_index=False)

    class Meta:
        db_table = "analytics_stage_move"
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=STAGE_CODES), name="move_to_a_known_stage"
            ),
            models.CheckConstraint(
                condition=Q(previous_stage=None) | ~Q(previous_stage=F("stage")),
                name="a_move_changes_stage",
            ),
        ]


class Standing(models.Model):
    """Where one member stands as of the last evaluation of their source: exactly one row, one stage, one group."""

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, db_constraint=False)
    source = models.ForeignKey(Source, models.CASCADE, db_constraint=False, db_index=False)
    as_of = models.DateField()
    stage = models.SmallIntegerField()
    since_on = models.DateField()
    next_move_on = models.DateField(null=True)
    days_since_last_order = models.IntegerField()
    orders = models.BigIntegerField()
    total_fen = models.BigIntegerField()
    first_on = models.DateField()
    last_on = models.DateField()
    r = models.SmallIntegerField()
    f = models.SmallIntegerField()
    m = models.SmallIntegerField()
    group = models.ForeignKey(RfmGroup, models.PROTECT, db_constraint=False, db_index=False)
    rhythm_days = models.FloatField()
    still_normal = models.FloatField()
    is_overdue = models.BooleanField()
    at_stake_fen = models.BigIntegerField()

    class Meta:
        db_table = "analytics_standing"
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=STAGE_CODES), name="standing_in_a_known_stage"
            ),
            models.CheckConstraint(
                condition=Q(r__range=(1, 5), f__range=(1, 5), m__range=(1, 5)),
                name="scores_are_1_to_5",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "stage", "-total_fen"], name="standing_by_stage"),
            models.Index(fields=["source", "group", "-total_fen"], name="standing_by_group"),
            models.Index(fields=["source", "f", "r"], name="standing_by_cell"),
            models.Index(fields=["source", "first_on"], name="standing_by_cohort"),
            models.Index(fields=["source", "-total_fen", "member"], name="standing_by_money"),
            models.Index(
                fields=["source", "-at_stake_fen"],
                name="standing_overdue",
                condition=Q(is_overdue=True),
            ),
        ]


class Evaluation(models.Model):
    """The last report computed for a source, as of a day."""

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True)
    as_of = models.DateField()
    made_at = models.DateTimeField()
    policy = models.ForeignKey(RetentionPolicy, models.PROTECT)
    last_import = models.BigIntegerField(null=True)
    report = models.JSONField()

    class Meta:
        db_table = "analytics_evaluation"


class Upload(models.Model):
    """A file dropped on the page, and how far its import is. The file itself is deleted when it ends.

    `done` of `whole` (bytes, or rows for Parquet) and `lines` move while it is read; `result` is set in the
    transaction that takes the orders in, `state` becomes done when everybody's standing is known again.
    `bad_lines` are the first ones: their number and reason, never their text.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    file_name = models.CharField(max_length=255)
    file_bytes = models.BigIntegerField()
    state = models.CharField(max_length=8)
    source_key = models.CharField(max_length=64, blank=True, default="")
    title = models.CharField(max_length=120, blank=True, default="")
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    done = models.BigIntegerField(default=0)
    whole = models.BigIntegerField(default=0)
    lines = models.BigIntegerField(default=0)
    bad_lines = models.JSONField(default=list)
    problem = models.CharField(max_length=500, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    result = models.ForeignKey(Import, models.SET_NULL, null=True)
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "analytics_upload"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=("dropped", "queued", "reading", "done", "refused")),
                name="upload_in_a_known_state",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("done", "refused"), ended_at__isnull=False)
                | Q(state__in=("dropped", "queued", "reading"), ended_at=None),
                name="an_ended_upload_says_when",
            ),
        ]


class Behaviour(models.Model):
    """One thing that a visitor did, kept for some months: a partition of the table a month, by `at`.

    The key holds the moment because that of a partitioned table must; a batch that is told again tells the same
    moments, so it meets itself, also over a month's end. Either a person did it or a `visitor`, a random name that
    ends with the browser's tab: the two are never joined. Written a thousand at a time, so without foreign keys
    (docs/decisions/0025).
    """

    pk = models.CompositePrimaryKey("batch", "position", "at")
    batch = models.CharField(max_length=BATCH_LETTERS)
    position = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=8)
    person = models.ForeignKey(
        Member, models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    visitor = models.CharField(max_length=24, blank=True, default="")
    product = models.CharField(max_length=16, blank=True, default="")
    variant = models.CharField(max_length=16, blank=True, default="")
    text = models.CharField(max_length=TEXT_LETTERS, blank=True, default="")
    came_from = models.CharField(max_length=TEXT_LETTERS, blank=True, default="")

    class Meta:
        db_table = "analytics_behaviour"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="behaviour_of_a_known_kind"),
            models.CheckConstraint(
                condition=Q(person__isnull=False, visitor="")
                | Q(person=None) & ~Q(visitor="") & ~Q(kind__in=OF_PERSONS),
                name="behaviour_of_a_person_or_a_visitor",
            ),
            models.CheckConstraint(
                condition=~Q(text__regex="[0-9]{7}|@") & ~Q(came_from__regex="[0-9]{7}|@"),
                name="behaviour_tells_no_number",
            ),
        ]
        indexes = [
            models.Index(
                fields=["person", "at"],
                name="behaviour_by_person",
                condition=Q(person__isnull=False),
            ),
        ]


class BehaviourDay(models.Model):
    """How often a person did each thing on a site-local day: kept by increments, together with the rows it counts."""

    pk = models.CompositePrimaryKey("person_id", "on")
    person = models.ForeignKey(
        Member, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    on = models.DateField()
    views = models.IntegerField()
    searches = models.IntegerField()
    logins = models.IntegerField()
    adds = models.IntegerField()
    buys = models.IntegerField()
    clicks = models.IntegerField()
    opens = models.IntegerField()

    class Meta:
        db_table = "analytics_behaviour_day"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    views__gte=0, searches__gte=0, logins__gte=0, adds__gte=0, buys__gte=0,
                    clicks__gte=0, opens__gte=0,
                ),
                name="behaviour_counts_are_not_negative",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["on", "person"], name="login_days", condition=Q(logins__gt=0)),
        ]
