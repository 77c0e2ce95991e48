"""Is the first record a header, and what does a column's name say about what it holds?"""

from __future__ import annotations

import re

from .looks import is_date, number

ROLES = ("member", "at", "amount", "order", "item", "quantity", "currency")

# Whole names, the surest first.
NAMES: dict[str, str] = {
    "member": (
        "customer_id member_id user_id household_id buyer_id client_id account_id uid userid "
        "customerid memberid member customer user buyer client household openid unionid "
        "会员id 会员编号 会员号 会员卡号 会员 用户id 用户编号 用户名 用户 客户id 客户编号 "
        "客户 客户号 买家id 买家会员名 买家昵称 买家账号 买家 顾客 顾客id 手机号 手机号码 "
        "手机 会员手机号 会员手机 买家手机 电话 phone mobile email e_mail 邮箱 id"
    ),
    "at": (
        "paid_at ordered_at order_at at timestamp datetime order_time order_date "
        "order_datetime invoice_date invoicedate purchase_date transaction_timestamp "
        "transaction_date transaction_time created_at create_time pay_time payment_time date "
        "time day 支付时间 付款时间 订单付款时间 下单时间 订单创建时间 创建时间 交易时间 "
        "成交时间 订单时间 订单日期 下单日期 交易日期 购买时间 购买日期 消费时间 日期 时间"
    ),
    "amount": (
        "paid paid_amount amount_paid sales_value dollar_value amount order_amount "
        "total_paid net_amount total_amount total grand_total order_total revenue sales "
        "turnover value spend price 实付金额 实付 实际支付金额 买家实付金额 实收金额 实收 "
        "支付金额 付款金额 成交额 成交金额 交易金额 消费金额 订单金额 金额 总价 总金额 总额 "
        "合计 售价 价格"
    ),
    "order": (
        "order_id order_no order_number orderid orderno order_sn order invoice invoice_no "
        "invoiceno invoice_id basket_id transaction_id trade_no receipt receipt_no 订单号 "
        "订单编号 订单id 交易号 交易单号 商户订单号 单号 流水号 小票号"
    ),
    "item": (
        "item product item_name product_name product_title description sku title goods "
        "goods_name product_type stock_code stockcode product_id item_id 商品 商品名称 "
        "商品名 商品标题 宝贝标题 宝贝名称 产品 产品名称 品名 货品 项目"
    ),
    "quantity": (
        "quantity qty number_of_cds units count pieces item_count num 数量 商品数量 购买数量 "
        "件数 宝贝数量 宝贝总数量 个数"
    ),
    "currency": "currency currency_code ccy 币种 货币 币别",
}

UNIT_PRICES = frozenset(
    ("unit_price", "unitprice", "price_each", "price_per_unit", "单价", "商品单价")
)

# Parts of a name: weaker, and what a part rules out.
_PARTS: dict[str, str] = {
    "member": ("member|customer|user|buyer|client|household|会员|用户|客户|买家|顾客|手机"),
    "at": "date|time|timestamp|日期|时间",
    "amount": "paid|amount|value|total|revenue|sales|实付|实收|金额|成交额|总价",
    "order": "order|invoice|basket|订单|单号",
    "item": "item|product|goods|sku|商品|产品|宝贝",
    "quantity": "qty|quantity|数量|件数",
    "currency": "currency|币",
}
_NEVER: dict[str, str] = {
    "member": (
        "level|tier|group|segment|gender|age|city|region|country|等级|级别|分组|性别|地区|"
        "城市|备注|留言|类型"
    ),
    "at": ("timezone|zone|birth|delivery|ship|refund|发货|退款|生日|注册|收货|确认|完成|截止"),
    "amount": (
        "disc|discount|refund|tax|shipping|freight|coupon|point|cost|fee|优惠|折扣|运费|退款|"
        "税|积分|红包|成本|手续费|balance|余额|应付"
    ),
    "order": (
        "status|state|type|date|time|amount|total|状态|类型|来源|时间|日期|金额|总价|备注|优惠"
    ),
    "item": "quantity|qty|count|price|amount|数量|金额|单价|总价|件数|种类",
    "quantity": "refund|stock|退款|库存|退货",
    "currency": "rate|汇率",
}
_RANK = {
    role: {name: place for place, name in enumerate(names.split())} for role, names in NAMES.items()
}


def tidy(name: str) -> str:
    """`InvoiceDate`, `invoice date` and `INVOICE-DATE` are one name."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    name = re.sub(r"[（(\[【].*?[)）\]】]", "", name)
    return re.sub(r"[\s\-./:]+", "_", name).strip("_").casefold()


def name_score(role: str, name: str) -> float:
    """How much a column's name speaks for a role: 10 and less; below 0 rules it out."""
    name = tidy(name)
    place = _RANK[role].get(name)
    if place is None:
        place = _RANK[role].get(name.replace("_", ""))
    if place is not None:
        return 10 - place * 0.05
    if _has_part(name, _NEVER[role]):
        return -10
    if role == "amount" and name in UNIT_PRICES:
        return 6
    return 5 if _has_part(name, _PARTS[role]) else 0


def _has_part(name: str, parts: str) -> bool:
    words = set(name.split("_"))
    return any(part in words if part.isascii() else part in name for part in parts.split("|"))


def is_header(first: list[str], rows: list[list[str]]) -> bool:
    """Names stand above the data: none is a date or a number where the data are."""
    typed = [cell for cell in first if _is_typed(cell)]
    if not typed:
        return _is_named(first) or not rows or _has_typed(rows)
    return len(typed) * 3 <= len(first) and _is_named(first)


def _is_named(first: list[str]) -> bool:
    return any(name_score(role, cell) >= 5 for cell in first for role in ROLES)


def _has_typed(rows: list[list[str]]) -> bool:
    return any(_is_typed(cell) for row in rows[:20] for cell in row)


def _is_typed(cell: str) -> bool:
    text = cell.strip()
    return bool(text) and (is_date(text) or number(text) is not None)
