"""The page on which somebody pays, and the one on which things are made to go wrong. Plain HTML, no script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from html import escape

from liuke.base.money import money_text
from liuke.interfaces.sandbox.trades import Faults, Trade

_STYLE = """
body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#f3f4f1;color:#1c211d}
main{max-width:26rem;margin:0 auto;padding:24px 16px}
h1{font-size:1.1rem;margin:0 0 4px}
.amount{font-size:2.4rem;font-weight:700;margin:16px 0}
p{margin:4px 0}
.muted{color:#545c56;font-size:.9rem}
button{width:100%;min-height:48px;margin-top:16px;border:0;border-radius:8px;background:#1d6b45;color:#fff;
font:inherit;font-weight:600}
button:focus-visible,a:focus-visible,input:focus-visible{outline:3px solid #1c211d;outline-offset:2px}
.back{display:block;margin-top:16px;text-align:center;color:#1d5c3c;padding:12px}
label{display:flex;justify-content:space-between;gap:8px;padding:6px 0}
input{font:inherit;width:7rem}
td,th{text-align:left;padding:2px 10px 2px 0;font-size:.85rem}
"""
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SAYS = {
    "waiting": ("等待付款", "Waiting for payment"),
    "paid": ("已付款", "Paid"),
    "closed": ("已关闭，不能再付款", "Closed, it can no longer be paid"),
}


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def pay_page(trade: Trade) -> str:
    """What is paid, to whom, and the button."""
    chinese, english = _SAYS[trade.state]
    button = (
        '<form method="post"><button>确认付款 · <span lang="en">Pay now</span></button></form>'
        if trade.state == "waiting"
        else ""
    )
    return _page(
        "沙盒收银台 Sandbox",
        "<h1>沙盒收银台 <span lang='en'>Sandbox checkout</span></h1>"
        "<p class='muted'>这里不会扣真钱。 <span lang='en'>No real money moves here.</span></p>"
        f"<p class='amount'>{escape(money_text(trade.amount, trade.currency))}</p>"
        f"<p>订单 <span lang='en'>Order</span>: {escape(trade.subject)}</p>"
        f"<p role='status'>{chinese} <span lang='en'>{english}</span></p>{button}"
        f"<a class='back' href='{escape(trade.return_url)}'>返回商店 <span lang='en'>Back to the shop</span></a>",
    )


def nothing_page() -> str:
    """A link that leads nowhere."""
    return _page(
        "沙盒 Sandbox",
        "<h1>没有这笔付款 <span lang='en'>There is no such payment</span></h1>",
    )


def control_page(trades: Iterable[Trade], asked: dict[str, str], next_faults: Faults) -> str:
    """What can be made to go wrong with one trade, or with the next; the latest trades."""
    rows = "".join(
        f"<tr><td>{escape(t.reference)}<td>{escape(t.subject)}<td>{escape(t.state)}<td>{t.amount}"
        f"<td>{'told' if t.is_notified else '-'}"
        for t in trades
    )
    return _page(
        "沙盒控制台 Sandbox control",
        "<h1>沙盒控制台 <span lang='en'>Sandbox control</span></h1>"
        "<p class='muted'>留空则作用于下一笔付款。 <span lang='en'>Without a reference: the next payment.</span></p>"
        "<form method='post'><label>reference "
        f"<input name='reference' value='{escape(asked.get('reference', ''))}'></label>"
        + "".join(_field(each.name, asked, next_faults) for each in fields(Faults))
        + "<button>设置 · <span lang='en'>Set</span></button></form>"
        f"<table><tr><th>reference<th>order<th>state<th>fen<th>site</tr>{rows}</table>",
    )


def _field(name: str, asked: dict[str, str], faults: Faults) -> str:
    value = getattr(faults, name)
    if isinstance(value, bool):
        is_on = value or asked.get(name, "") not in ("", "0")
        checked = " checked" if is_on else ""
        return f"<label>{name} <input type='checkbox' name='{name}' value='1'{checked}></label>"
    told = escape(asked.get(name, str(value)))
    return f"<label>{name} <input type='number' name='{name}' value='{told}'></label>"
