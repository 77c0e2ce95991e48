"""What is sold and what of it is left: products, variants, card keys, holds, and who looks forward to what."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from liuke.catalog.rules import (
    ACCEPT_DAYS_MAX,
    ACCESS_ROLES,
    ARRIVAL_MINUTES_MAX,
    KEY_STATES,
    PRICE_FEN_MAX,
    PRODUCT_KINDS,
    PRODUCT_STATES,
    SOURCE_KINDS,
    STOCK_KINDS,
    VARIANT_STATES,
)
from liuke.merchants.models import Merchant
from liuke.people.models import Login, Member


class Scene(models.Model):
    """What a member comes for: games, films, phone credit. `key` is its name in addresses."""

    key = models.SlugField(max_length=24, primary_key=True)
    name_zh = models.CharField(max_length=24, unique=True)
    name_en = models.CharField(max_length=40, unique=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "catalog_scene"


class Product(models.Model):
    """What one merchant offers. `kind` and `merchant` are for ever: keys are sealed for them.

    `order_form` is a list of questions (see `rules.read_order_form`). `arrival_minutes` is what is promised, 0 at
    once; `accept_days` after delivery the member is taken to be content. `search_text` is what a search looks
    through, `search_grams` its letters in ones and twos.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="products")
    scene = models.ForeignKey(Scene, models.PROTECT)
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=80)
    subject = models.CharField(max_length=40, blank=True, default="")
    subtitle = models.CharField(max_length=120, blank=True, default="")
    body = models.TextField(max_length=5000, blank=True, default="")
    state = models.CharField(max_length=8, default="draft")
    order_form = models.JSONField(default=list)
    source_kind = models.CharField(max_length=12)
    source_text = models.CharField(max_length=300, blank=True, default="")
    coverage_text = models.CharField(max_length=300, blank=True, default="")
    arrival_minutes = models.PositiveIntegerField(default=0)
    accept_days = models.PositiveSmallIntegerField(default=3)
    per_order_max = models.PositiveIntegerField(null=True)
    per_person_max = models.PositiveIntegerField(null=True)
    sold_count = models.BigIntegerField(default=0, db_default=0)
    search_text = models.TextField(blank=True, default="")
    search_grams = ArrayField(models.TextField(), default=list)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "catalog_product"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=PRODUCT_KINDS, state__in=PRODUCT_STATES, source_kind__in=SOURCE_KINDS
                ),
                name="product_in_known_words",
            ),
            models.CheckConstraint(condition=~Q(title=""), name="a_product_has_a_title"),
            models.CheckConstraint(
                condition=Q(
                    arrival_minutes__lte=ARRIVAL_MINUTES_MAX, accept_days__lte=ACCEPT_DAYS_MAX
                ),
                name="promises_end",
            ),
            models.CheckConstraint(
                condition=(Q(per_order_max=None) | Q(per_order_max__gte=1))
                & (Q(per_person_max=None) | Q(per_person_max__gte=1)),
                name="limits_leave_one",
            ),
            models.CheckConstraint(condition=Q(sold_count__gte=0), name="sold_is_not_negative"),
        ]
        indexes = [
            models.Index(fields=["scene", "state"], name="product_by_scene"),
            GinIndex(fields=["search_grams"], name="product_by_grams"),
        ]


class Variant(models.Model):
    """One thing with a price. `stock_kind` is for ever.

    `keys`: as many as there are free card keys; `count`: `stock_count`; `open`: any number; `bundle`: what its parts
    allow. `list_price_fen` is the price it is compared with, never below `price_fen`. `quantity_prices` is
    [[from, price_fen], …], rising and falling. `is_low` is set while stock is at or below `low_stock_at`.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    product = models.ForeignKey(Product, models.PROTECT, related_name="variants")
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    price_fen = models.BigIntegerField()
    list_price_fen = models.BigIntegerField()
    quantity_prices = models.JSONField(default=list)
    stock_kind = models.CharField(max_length=8)
    stock_count = models.BigIntegerField(null=True)
    low_stock_at = models.PositiveIntegerField(null=True)
    is_low = models.BooleanField(default=False, db_default=False)
    state = models.CharField(max_length=8, default="listed")

    class Meta:
        db_table = "catalog_variant"
        constraints = [
            models.UniqueConstraint(fields=["product", "name"], name="variants_have_own_names"),
            models.CheckConstraint(
                condition=Q(stock_kind__in=STOCK_KINDS, state__in=VARIANT_STATES),
                name="variant_in_known_words",
            ),
            models.CheckConstraint(
                condition=Q(price_fen__gte=0, list_price_fen__gte=F("price_fen"))
                & Q(list_price_fen__lte=PRICE_FEN_MAX),
                name="prices_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(stock_kind="count", stock_count__isnull=False, stock_count__gte=0)
                | Q(~Q(stock_kind="count"), stock_count=None),
                name="counted_stock_is_counted",
            ),
        ]


class BundlePart(models.Model):
    """A bundle is sold as one and holds `quantity` of each part; parts are of its merchant and kind, and no bundles."""

    id = models.BigAutoField(primary_key=True)
    bundle = models.ForeignKey(Variant, models.CASCADE, related_name="bundle_parts")
    part = models.ForeignKey(Variant, models.PROTECT, related_name="in_bundles")
    quantity = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "catalog_bundle_part"
        constraints = [
            models.UniqueConstraint(fields=["bundle", "part"], name="a_part_is_named_once"),
            models.CheckConstraint(condition=Q(quantity__range=(1, 99)), name="a_part_is_there"),
            models.CheckConstraint(condition=~Q(bundle=F("part")), name="no_bundle_holds_itself"),
        ]


class KeyBatch(models.Model):
    """Card keys that came in together, sealed under one data key; `wrapped_key` is that key, wrapped by the master key.

    `master_version` says by which one. `name` is the file's, or empty.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT)
    variant = models.ForeignKey(Variant, models.PROTECT, related_name="batches")
    wrapped_key = models.BinaryField()
    master_version = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120, blank=True, default="")
    key_count = models.PositiveIntegerField()
    imported_at = models.DateTimeField()
    by = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "catalog_key_batch"
        constraints = [
            models.CheckConstraint(condition=Q(key_count__gte=1), name="a_batch_has_keys"),
        ]
        indexes = [models.Index(fields=["master_version"], name="batch_by_master_key")]


class Hold(models.Model):
    """Stock set aside under a token until a moment; `taken_at` once it was handed out. Given back, the row goes."""

    id = models.BigAutoField(primary_key=True)
    token = models.CharField(max_length=64, unique=True)
    until = models.DateTimeField()
    held_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalog_hold"
        indexes = [
            models.Index(fields=["until"], name="hold_due", condition=Q(taken_at=None)),
        ]


class HoldLine(models.Model):
    """`quantity` of `part`, because `variant` was wanted; the same variant unless that is a bundle."""

    id = models.BigAutoField(primary_key=True)
    hold = models.ForeignKey(Hold, models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, models.PROTECT, related_name="+")
    part = models.ForeignKey(Variant, models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField()

    class Meta:
        db_table = "catalog_hold_line"
        constraints = [
            models.UniqueConstraint(
                fields=["hold", "variant", "part"], name="a_hold_names_a_part_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="a_line_holds_something"),
        ]


class CardKey(models.Model):
    """One card key. `sealed` opens only in this row of this batch, variant and merchant.

    `line` is what it is held for or was delivered to, `seq` its number there. A trigger lets a key be delivered once,
    and never come back from there. `merchant_index` finds the same key at the same merchant, `platform_index` at any.
    """

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    variant = models.ForeignKey(Variant, models.PROTECT, related_name="keys", db_index=False)
    batch = models.ForeignKey(KeyBatch, models.PROTECT, related_name="keys")
    sealed = models.BinaryField()
    merchant_index = models.BinaryField()
    platform_index = models.BinaryField()
    last_four = models.CharField(max_length=4, blank=True, default="")
    state = models.CharField(max_length=9, default="free", db_default="free")
    line = models.ForeignKey(
        HoldLine, models.PROTECT, null=True, related_name="keys", db_index=False
    )
    seq = models.PositiveSmallIntegerField(null=True)
    delivered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    why_ended = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        db_table = "catalog_card_key"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "merchant_index"],
                condition=~Q(state="revoked") | Q(delivered_at__isnull=False),
                name="one_row_per_key_and_merchant",
            ),
            models.UniqueConstraint(
                fields=["line", "seq"],
                condition=Q(line__isnull=False),
                name="one_key_per_place_in_a_line",
            ),
            models.CheckConstraint(
                condition=Q(state__in=KEY_STATES), name="card_key_in_a_known_state"
            ),
            models.CheckConstraint(
                condition=Q(state="free", line=None, seq=None, delivered_at=None, ended_at=None)
                | Q(state="held", line__isnull=False, seq__isnull=False, delivered_at=None)
                & Q(ended_at=None)
                | Q(state="delivered", line__isnull=False, seq__isnull=False, ended_at=None)
                & Q(delivered_at__isnull=False)
                | Q(state__in=("revoked", "bad"), ended_at__isnull=False)
                & (
                    Q(line=None, seq=None, delivered_at=None)
                    | Q(line__isnull=False, seq__isnull=False, delivered_at__isnull=False)
                ),
                name="a_key_is_where_it_says",
            ),
        ]
        indexes = [
            models.Index(fields=["variant", "id"], name="free_key", condition=Q(state="free")),
            models.Index(fields=["platform_index"], name="key_on_the_platform"),
        ]


class KeyAccess(models.Model):
    """Somebody was shown a card key in plain; written before it is opened, only ever appended to.

    Either `login` or `person` looked; neither when the site itself did.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.ForeignKey(CardKey, models.PROTECT, related_name="accesses", db_index=False)
    login = models.ForeignKey(Login, models.PROTECT, null=True, related_name="+", db_index=False)
    person = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_index=False)
    role = models.CharField(max_length=8)
    reason = models.CharField(max_length=200, blank=True, default="")
    network = models.CharField(max_length=64, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "catalog_key_access"
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=ACCESS_ROLES, login=None, person=None)
                | Q(role="buyer", login=None, person__isnull=False)
                | Q(role__in=("operator", "agent", "merchant"), login__isnull=False, person=None)
                & ~Q(reason=""),
                name="who_looks_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["key", "id"], name="access_by_key"),
            models.Index(
                fields=["login", "at"], name="access_by_login", condition=Q(login__isnull=False)
            ),
        ]


class KeyPolicy(models.Model):
    """How many card keys one login may be shown in an hour; the highest version is in force."""

    version = models.AutoField(primary_key=True)
    reveals_an_hour = models.PositiveIntegerField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "catalog_key_policy"


class Follow(models.Model):
    """A person wants to hear of a product."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Member, models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, models.CASCADE, related_name="follows")
    since = models.DateTimeField()

    class Meta:
        db_table = "catalog_follow"
        constraints = [
            models.UniqueConstraint(fields=["person", "product"], name="followed_once"),
        ]


class BackWish(models.Model):
    """A person asked to be told when a variant is back; told once."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Member, models.CASCADE, related_name="+")
    variant = models.ForeignKey(Variant, models.CASCADE, related_name="wishes", db_index=False)
    asked_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalog_back_wish"
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "person"], condition=Q(told_at=None), name="asked_once"
            ),
        ]
