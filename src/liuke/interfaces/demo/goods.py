"""What the demo's merchants sell: invented shops, real kinds of goods, prices as one meets them. Money in fen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Thing:
    """One variant: a name, its price, what it is compared with, prices for more."""

    name: str
    price_fen: int
    list_price_fen: int = 0
    quantity_prices: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Goods:
    """One product. `dead` is the share of its keys that do not work; nobody but the simulation knows."""

    shop: str
    scene: str
    kind: str
    title: str
    subject: str
    things: tuple[Thing, ...]
    subtitle: str = ""
    source_kind: str = "authorised"
    source_text: str = ""
    coverage_text: str = ""
    arrival_minutes: int = 0
    order_form: tuple[dict[str, Any], ...] = ()
    dead: float = 0.0
    taste: float = 1.0


FAST, CHEAP, TELECOM, HANDS = "星河数卡", "薄利卡行", "云通话费", "代办小铺"
FEES_PERMYRIAD = {FAST: 300, CHEAP: 250, TELECOM: 150, HANDS: 500}
_PHONE = {
    "key": "phone",
    "label": "充值手机号",
    "kind": "phone",
    "is_required": True,
    "help": "大陆 11 位手机号，请核对",
}
_GAME_ACCOUNT = (
    {
        "key": "zone",
        "label": "区服",
        "kind": "choice",
        "choices": ["官服", "B 服", "渠道服"],
        "is_required": True,
    },
    {
        "key": "account",
        "label": "角色 ID",
        "kind": "text",
        "pattern": "[0-9]{6,12}",
        "is_required": True,
        "help": "游戏内头像旁的数字",
    },
)

GOODS = (
    Goods(
        FAST,
        "games",
        "card_key",
        "原神 创世结晶 兑换码",
        "原神",
        (
            Thing("60 结晶", 600),
            Thing("300+30 结晶", 2900, 3000, ((3, 2850), (10, 2800))),
            Thing("980+110 结晶", 9600, 9800),
        ),
        subtitle="秒发，全服通用",
        source_text="授权经销商现货，批次可查",
        coverage_text="国服官方与 B 服",
        taste=3.0,
        dead=0.004,
    ),
    Goods(
        CHEAP,
        "games",
        "card_key",
        "原神 结晶兑换码（特价）",
        "原神",
        (Thing("60 结晶", 560, 600), Thing("300+30 结晶", 2690, 3000)),
        subtitle="比官方价低一成",
        source_kind="merchant",
        source_text="多渠道收购",
        coverage_text="国服官方",
        taste=1.2,
        dead=0.05,
    ),
    Goods(
        FAST,
        "games",
        "card_key",
        "Steam 钱包充值码",
        "Steam",
        (
            Thing("20 元", 2000),
            Thing("50 元", 4980, 5000),
            Thing("100 元", 9900, 10000, ((5, 9850),)),
        ),
        subtitle="国区可用",
        source_text="授权经销商现货",
        coverage_text="仅国区账号",
        taste=1.6,
        dead=0.006,
    ),
    Goods(
        FAST,
        "games",
        "card_key",
        "和平精英 点券",
        "和平精英",
        (Thing("5 元点券", 500), Thing("10 元点券", 980, 1000), Thing("50 元点券", 4850, 5000)),
        subtitle="绑定微信区、QQ 区均可",
        source_text="授权经销商现货",
        coverage_text="微信区、QQ 区",
        taste=1.4,
        dead=0.005,
    ),
    Goods(
        HANDS,
        "games",
        "agent_service",
        "原神 代充（登录直充）",
        "原神",
        (Thing("小月卡", 2700, 3000), Thing("大月卡", 6200, 6800)),
        subtitle="人工代充，全程可看进度",
        source_kind="merchant",
        coverage_text="国服官方与 B 服",
        arrival_minutes=60,
        order_form=_GAME_ACCOUNT,
        taste=0.5,
        dead=0.03,
    ),
    Goods(
        TELECOM,
        "phone",
        "top_up",
        "三网话费充值",
        "话费",
        (Thing("30 元", 2970, 3000), Thing("50 元", 4930, 5000), Thing("100 元", 9830, 10000)),
        subtitle="10 分钟内到账，超时可退",
        source_kind="official",
        source_text="运营商官方通道",
        coverage_text="移动、联通、电信，全国",
        arrival_minutes=10,
        order_form=(_PHONE,),
        taste=3.0,
        dead=0.008,
    ),
    Goods(
        TELECOM,
        "phone",
        "top_up",
        "流量日包月包",
        "流量",
        (Thing("1 GB 日包", 450, 500), Thing("10 GB 月包", 2700, 3000)),
        source_kind="official",
        source_text="运营商官方通道",
        coverage_text="移动、联通，全国",
        arrival_minutes=10,
        order_form=(_PHONE,),
        taste=0.8,
        dead=0.01,
    ),
    Goods(
        FAST,
        "films",
        "card_key",
        "腾讯视频 VIP 兑换码",
        "腾讯视频",
        (Thing("周卡", 900, 1200), Thing("月卡", 2190, 3000), Thing("季卡", 5800, 7800)),
        subtitle="绑定手机号兑换",
        source_text="授权经销商现货",
        coverage_text="全国",
        taste=1.6,
        dead=0.006,
    ),
    Goods(
        FAST,
        "films",
        "card_key",
        "哔哩哔哩 大会员",
        "B 站",
        (Thing("月卡", 1780, 2500), Thing("年卡", 13800, 16800)),
        source_text="授权经销商现货",
        coverage_text="全国",
        taste=1.2,
        dead=0.005,
    ),
    Goods(
        CHEAP,
        "films",
        "card_key",
        "爱奇艺 黄金 VIP（特价）",
        "爱奇艺",
        (Thing("月卡", 1590, 2500),),
        source_kind="merchant",
        source_text="多渠道收购",
        coverage_text="全国",
        taste=0.9,
        dead=0.06,
    ),
    Goods(
        FAST,
        "shopping",
        "card_key",
        "京东 E 卡",
        "京东",
        (
            Thing("50 元", 4950, 5000),
            Thing("100 元", 9880, 10000, ((5, 9860),)),
            Thing("200 元", 19740, 20000),
        ),
        subtitle="官方卡密",
        source_kind="official",
        source_text="官方采购，附发票",
        coverage_text="京东自营",
        taste=1.5,
        dead=0.002,
    ),
    Goods(
        CHEAP,
        "shopping",
        "card_key",
        "天猫超市卡",
        "天猫",
        (Thing("50 元", 4900, 5000), Thing("100 元", 9790, 10000)),
        source_kind="merchant",
        source_text="多渠道收购",
        coverage_text="天猫超市",
        taste=0.9,
        dead=0.03,
    ),
    Goods(
        FAST,
        "software",
        "card_key",
        "WPS 会员",
        "WPS",
        (Thing("月卡", 1200, 1500), Thing("年卡", 8900, 14800)),
        source_text="授权经销商现货",
        coverage_text="个人账号",
        dead=0.005,
    ),
    Goods(
        HANDS,
        "services",
        "agent_service",
        "简历排版代做",
        "简历",
        (Thing("一份", 3900, 4900), Thing("中英两份", 6900, 8800)),
        source_kind="merchant",
        arrival_minutes=720,
        coverage_text="全国",
        order_form=({"key": "wish", "label": "岗位与要求", "kind": "text", "is_required": True},),
        dead=0.04,
    ),
)
BODIES = {
    "card_key": "付款后立即显示卡密，在官网或客户端内兑换。兑换不了，在订单页点“用不了”，当场退款。",
    "top_up": "付款后自动提交充值，到账时间见承诺。填错号码无法追回，请核对。",
    "agent_service": "由商家人工完成，每一步都写在订单页。完成前可以申请退款。",
}
