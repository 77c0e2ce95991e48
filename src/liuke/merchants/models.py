"""Who supplies what we sell, and who works for them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from liuke.merchants.rules import FEE_PERMYRIAD_MAX, MERCHANT_STATES, NAME_LETTERS
from liuke.people.models import Login


class Merchant(models.Model):
    """A supplier. `fee_permyriad` is what the platform keeps of a sale, in ten-thousandths of the price.

    A paused merchant's products are not offered until they are resumed; a closed one never sells again.
    """

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=NAME_LETTERS, unique=True)
    fee_permyriad = models.PositiveIntegerField()
    state = models.CharField(max_length=8, default="active")
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "merchants_merchant"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=MERCHANT_STATES), name="merchant_in_a_known_state"
            ),
            models.CheckConstraint(
                condition=Q(fee_permyriad__lte=FEE_PERMYRIAD_MAX), name="a_fee_leaves_half"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="a_merchant_has_a_name"),
        ]


class MerchantStaff(models.Model):
    """A login of role `merchant` works for one merchant, for ever."""

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="staff")
    login = models.OneToOneField(Login, models.PROTECT)
    added_at = models.DateTimeField()

    class Meta:
        db_table = "merchants_merchant_staff"
