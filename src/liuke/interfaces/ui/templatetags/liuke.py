"""Filters every template may use."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from django import template
from lucide.templatetags.lucide import lucide

from liuke.base.ids import dashed_order_number
from liuke.interfaces.ui import (
    catalog_words,
    figures,
    order_words,
    outreach_words,
    segment_words,
    staff_words,
    wording,
)

register = template.Library()

# An icon is the same text each time; the library parses and writes it anew, which was a third of a list of products.
register.simple_tag(lru_cache(maxsize=512)(lucide), name="lucide")

register.filter("count", figures.count)
register.filter("percent", figures.percent)
register.filter("money", figures.money)
register.filter("money_whole", figures.money_whole)
register.filter("long_day", figures.long_day)
register.filter("iso_day", figures.iso_day)
register.filter("stage_name", wording.stage_name)
register.filter("waiting_says", wording.waiting_says)
register.filter("group_name", wording.group_name)
register.filter("role_name", staff_words.role_name)
register.filter("channel_name", outreach_words.channel_name)
register.filter("channel_icon", outreach_words.channel_icon)
register.filter("purpose_name", outreach_words.purpose_name)
register.filter("plan_state_name", outreach_words.plan_state_name)
register.filter("run_state_name", outreach_words.run_state_name)
register.filter("run_look", outreach_words.run_look)
register.filter("arm_name", outreach_words.arm_name)
register.filter("reason_name", outreach_words.reason_name)
register.filter("call_kind_name", outreach_words.call_kind_name)
register.filter("call_outcome_name", outreach_words.call_outcome_name)
register.filter("leave_reason_name", outreach_words.leave_reason_name)
register.filter("basis_says", outreach_words.basis_says)
register.filter("zone_origin_says", outreach_words.zone_origin_says)
register.filter("segment_name", segment_words.segment_name)
register.filter("price", figures.price)
register.filter("kind_name", catalog_words.kind_name)
register.filter("product_state_name", catalog_words.product_state_name)
register.filter("source_name", catalog_words.source_name)
register.filter("stock_kind_name", catalog_words.stock_kind_name)
register.filter("key_state_name", catalog_words.key_state_name)
register.filter("merchant_state_name", catalog_words.merchant_state_name)
register.filter("access_role_name", catalog_words.access_role_name)
register.filter("order_number", dashed_order_number)
register.filter("order_state_name", order_words.order_state_name)
register.filter("delivery_state_name", order_words.delivery_state_name)
register.filter("payment_state_name", order_words.payment_state_name)
register.filter("refund_state_name", order_words.refund_state_name)
register.filter("state_look", order_words.state_look)
register.filter("way_name", order_words.gateway_name)
register.filter("why_says", order_words.why_says)
register.filter("price_step_says", order_words.price_step_says)
register.filter("signed_price", order_words.signed_price)
register.filter("moment_text", order_words.moment_text)
register.filter("promise_says", order_words.promise_says)


@register.filter
def shade(score: int) -> int:
    """The shade of a score of 1 to 5, out of the nine of the heat maps."""
    return (2, 3, 4, 6, 8)[score - 1]


@register.filter
def minutes(length: dt.timedelta) -> int:
    """Whole minutes of a length of time, at least one."""
    return max(1, round(length.total_seconds() / 60))
