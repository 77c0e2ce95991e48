"""Filters of the shop's pages."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from liuke.base import clock
from liuke.base.ids import dashed_order_number
from liuke.base.money import money_text, symbol
from liuke.interfaces.storefront.shop import shelf, words
from liuke.interfaces.ui import catalog_words

register = template.Library()

register.filter("order_number", dashed_order_number)
register.filter("left", words.left_says)
register.filter("moment", words.moment_says)
register.filter("arrival", words.arrival_says)
register.filter("scene_name", words.scene_name)
register.filter("scene_icon", words.scene_icon)
register.filter("step_says", words.step_says)
register.filter("source_name", catalog_words.source_name)
register.filter("gateway_name", words.gateway_name)
register.filter("hue", shelf.hue_of)
register.filter("glyph", shelf.glyph_of)
register.filter("reason_says", words.reason_says)


@register.simple_tag
def now_ms() -> int:
    """The present moment in milliseconds since 1970: the script that notes visits counts from here."""
    return int(clock.now().timestamp() * 1000)


@register.filter
def fen(amount_fen: int) -> str:
    """`¥9.50`, `−¥9.50`, in the site's currency."""
    return money_text(amount_fen, settings.LIUKE_CURRENCY).replace("-", "−")


@register.filter
def signed(amount_fen: int) -> str:
    """`+¥9.50`, `−¥9.50`."""
    return f"+{fen(amount_fen)}" if amount_fen > 0 else fen(amount_fen)


@register.filter
def price(amount_fen: int) -> SafeString:
    """The same for the eye: the sign and the decimals small, no decimals where there are only noughts."""
    sign = symbol(settings.LIUKE_CURRENCY)
    whole, dot, rest = fen(amount_fen).removeprefix(sign).partition(".")
    small = format_html("<small>{}{}</small>", dot, rest) if rest.strip("0") else ""
    return format_html('<span class="price"><small>{}</small>{}{}</span>', sign, whole, small)


@register.filter
def question_label(key: str, order_form: list[dict[str, str]]) -> str:
    """What a question of an order form is called today; its key when it is asked no more."""
    return next((asked["label"] for asked in order_form if asked.get("key") == key), key)
