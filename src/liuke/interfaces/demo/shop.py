"""Open the demo's shop: merchants, products, prices, stock, a first-order offer and a coupon. Through actions only."""

from __future__ import annotations

from dataclasses import dataclass

from liuke.base import chance
from liuke.catalog.actions import About, import_keys, list_product, make_product, make_variant
from liuke.catalog.models import Product, Scene, Variant
from liuke.interfaces.demo.goods import BODIES, FAST, FEES_PERMYRIAD, GOODS, Goods, Thing
from liuke.membership.actions import make_coupon_kind, make_offer
from liuke.merchants.actions import add_staff, open_merchant
from liuke.merchants.models import Merchant
from liuke.people.models import Login

KEYS_AT_ONCE, LOW_STOCK = 200, 30
MERCHANT_LOGIN = "shangjia"
FIRST_MIN_FEN = 1000  # a player's first 10 yuan ...
FIRST_GIFT = "5 元点券"  # ... brings 5 yuan of game currency
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Shelf:
    """One variant on sale, and what only the simulation knows of it."""

    variant: Variant
    goods: Goods


@dataclass
class Shop:
    """The shelves by scene, and the coupon that care gives away."""

    shelves: dict[str, list[Shelf]]
    sorry_coupon: str

    def __post_init__(self) -> None:
        self._goods = {shelf.variant.pk: shelf.goods for shelf in self._all()}

    def with_keys(self) -> list[Shelf]:
        """The shelves that can run empty."""
        return [shelf for shelf in self._all() if shelf.variant.stock_kind == "keys"]

    def goods_of(self, variant_id: int) -> Goods:
        """What the simulation knows of a variant."""
        return self._goods[variant_id]

    def _all(self) -> list[Shelf]:
        return [shelf for shelves in self.shelves.values() for shelf in shelves]


def open_shop(*, by: Login, password: str) -> Shop:
    """The shop; `password` lets one of its merchants sign in."""
    merchants = {
        name: open_merchant(name=name, fee_permyriad=fee, by=by)
        for name, fee in FEES_PERMYRIAD.items()
    }
    add_staff(reference=merchants[FAST].reference, name=MERCHANT_LOGIN, password=password, by=by)
    scenes = {scene.key: scene for scene in Scene.objects.all()}
    shelves: dict[str, list[Shelf]] = {key: [] for key in scenes}
    for goods in GOODS:
        shelves[goods.scene] += _shelves(goods, merchants[goods.shop], scenes[goods.scene], by)
    coupon = _promises(shelves, scenes["games"], by)
    return Shop(shelves, coupon)


def _shelves(goods: Goods, merchant: Merchant, scene: Scene, by: Login) -> list[Shelf]:
    about = About(
        scene=scene,
        title=goods.title,
        subject=goods.subject,
        subtitle=goods.subtitle,
        body=BODIES[goods.kind],
        source_kind=goods.source_kind,
        source_text=goods.source_text,
        coverage_text=goods.coverage_text,
        arrival_minutes=goods.arrival_minutes,
        order_form=goods.order_form,
    )
    product = make_product(merchant=merchant, kind=goods.kind, about=about, by=by)
    shelves = [Shelf(_variant(product, thing, by), goods) for thing in goods.things]
    list_product(product=product, by=by)
    return shelves


def _variant(product: Product, thing: Thing, by: Login) -> Variant:
    has_keys = product.kind == "card_key"
    variant = make_variant(
        product=product,
        name=thing.name,
        price_fen=thing.price_fen,
        list_price_fen=thing.list_price_fen or None,
        quantity_prices=thing.quantity_prices,
        stock_kind="keys" if has_keys else "open",
        low_stock_at=LOW_STOCK if has_keys else None,
        by=by,
    )
    if has_keys:
        bring_keys(variant, by=by)
    return variant


def bring_keys(variant: Variant, *, by: Login | None) -> None:
    """The merchant brings the next batch."""
    lot = chance.source()
    texts = {
        "-".join("".join(lot.choices(_LETTERS, k=4)) for _ in range(4)) for _ in range(KEYS_AT_ONCE)
    }
    import_keys(variant=variant, content="\n".join(sorted(texts)), by=by)


def _promises(shelves: dict[str, list[Shelf]], games: Scene, by: Login) -> str:
    """The offer that brings players in, and the coupon that says sorry; its reference."""
    gift = next(shelf.variant for shelf in shelves["games"] if shelf.variant.name == FIRST_GIFT)
    make_offer(
        kind="first_order",
        name="新人首单：满 10 元送 5 元点券",
        by=by,
        scene=games,
        gift_variant=gift,
        gift_quantity=1,
        min_payable_fen=FIRST_MIN_FEN,
    )
    kind = make_coupon_kind(
        name="补偿券：无门槛 3 元",
        budget_fen=500_000,
        valid_days=60,
        by=by,
        off_fen=300,
        per_person_max=2,
    )
    return kind.reference
