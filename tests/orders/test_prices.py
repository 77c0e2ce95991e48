"""The arithmetic of a price, over everything an operator could set up."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from liuke.membership.rules import CouponTerms, Gift, Scope, SpecialPrice, Terms
from liuke.orders.rules import (
    Item,
    Priced,
    PriceStep,
    as_gift,
    coupon_worth,
    gift_for,
    price,
    with_coupon,
)

LATER = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
FEN = st.integers(1, 5_000_000)
SCENES = st.sampled_from(["games", "films"])
SCOPES = st.one_of(
    st.just(Scope()),
    st.builds(lambda scene: Scope(scene=scene), SCENES),
    st.builds(lambda pk: Scope(product_id=pk), st.integers(1, 3)),
    st.builds(lambda pk: Scope(variant_id=pk), st.integers(1, 4)),
)


@st.composite
def items(draw: st.DrawFn) -> Item:
    unit = draw(FEN)
    steps, last_from, last_fen = [], 1, unit
    for _ in range(draw(st.integers(0, 3))):
        last_from += draw(st.integers(1, 20))
        last_fen = draw(st.integers(0, last_fen))
        steps.append((last_from, last_fen))
    variant = draw(st.integers(1, 4))
    return Item(
        variant_id=variant,
        product_id=draw(st.integers(1, 3)),
        scene=draw(SCENES),
        quantity=draw(st.integers(1, 100)),
        unit_fen=unit,
        quantity_prices=tuple(steps),
    )


@st.composite
def specials(draw: st.DrawFn, grant: int) -> SpecialPrice:
    kind = draw(st.sampled_from(["percent", "off", "price"]))
    return SpecialPrice(
        offer_id=grant,
        grant_id=grant,
        name="Come back",
        scope=draw(SCOPES),
        percent_off=draw(st.integers(1, 99)) if kind == "percent" else None,
        off_fen=draw(FEN) if kind == "off" else None,
        price_fen=draw(FEN) if kind == "price" else None,
        quantity_max=draw(st.integers(1, 5)),
        ends_at=LATER,
    )


@st.composite
def coupons(draw: st.DrawFn) -> CouponTerms:
    is_amount = draw(st.booleans())
    return CouponTerms(
        reference="C",
        name="Coupon",
        scope=draw(SCOPES),
        off_fen=draw(FEN) if is_amount else None,
        percent_off=None if is_amount else draw(st.integers(1, 99)),
        off_max_fen=None if is_amount else draw(FEN),
        min_spend_fen=draw(st.integers(0, 100_000)),
        expires_at=LATER,
    )


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    return Terms(
        level_name="Gold",
        pays_percent=draw(st.integers(1, 100)),
        specials=tuple(draw(specials(grant=n)) for n in range(1, draw(st.integers(1, 4)))),
        coupons=(draw(coupons()),),
    )


def explained(line: Priced) -> int:
    return sum(step.amount_fen for step in line.steps)


@settings(max_examples=400, deadline=None)
@given(st.lists(items(), min_size=1, max_size=5), terms())
def test_a_price_is_explained_to_the_fen_and_never_above_the_list(
    wanted: list[Item], held: Terms
) -> None:
    lines = price(wanted, held)
    coupon = held.coupons[0]
    off = coupon_worth(lines, coupon)
    paid = with_coupon(lines, coupon)
    for before, line in zip(lines, paid, strict=True):
        assert line.steps[0] == PriceStep("list", "", line.item.list_fen)
        assert explained(line) == line.total_fen
        assert 0 <= line.total_fen <= before.total_fen <= line.item.list_fen
        assert before.total_fen <= line.item.goods_fen
        assert all(step.amount_fen < 0 for step in before.steps[1:])
    assert sum(line.total_fen for line in lines) - sum(line.total_fen for line in paid) == off
    assert off <= (coupon.off_fen or coupon.off_max_fen or 0)
    for before, line in zip(lines, paid, strict=True):
        assert bool(line.total_fen) == bool(before.total_fen), "a fen stays to be paid"


@settings(max_examples=300, deadline=None)
@given(st.lists(items(), min_size=1, max_size=5), terms())
def test_having_more_never_makes_it_dearer(wanted: list[Item], held: Terms) -> None:
    """A level, a grant or a coupon can only help, each line for itself."""
    nothing = price(wanted, Terms())
    level = price(wanted, Terms("Gold", held.pays_percent))
    everything = price(wanted, held)
    for bare, with_level, best in zip(nothing, level, everything, strict=True):
        assert best.total_fen <= with_level.total_fen <= bare.total_fen


@settings(max_examples=300, deadline=None)
@given(items(), st.integers(1, 100), st.integers(0, 30))
def test_the_level_is_rounded_for_the_member_and_a_higher_level_never_pays_more(
    item: Item, percent: int, more: int
) -> None:
    (line,) = price([item], Terms("Gold", percent))
    assert line.total_fen * 100 <= max(item.list_fen * percent, 100)
    (better,) = price([item], Terms("Platinum", max(1, percent - more)))
    assert better.total_fen <= line.total_fen


@settings(max_examples=300, deadline=None)
@given(st.lists(items(), min_size=1, max_size=5), terms())
def test_a_grant_is_good_for_one_line_at_most(wanted: list[Item], held: Terms) -> None:
    used = [line.special.grant_id for line in price(wanted, held) if line.special]
    assert len(used) == len(set(used))


def item(unit_fen: int, quantity: int = 1, **more: object) -> Item:
    return Item(1, 1, "games", quantity, unit_fen, **more)  # type: ignore[arg-type]


def special(**how: int) -> SpecialPrice:
    given: dict[str, int | None] = {"percent_off": None, "off_fen": None, "price_fen": None, **how}
    most = given.pop("quantity_max", 1)
    return SpecialPrice(1, 1, "Back", Scope(), quantity_max=most or 1, ends_at=LATER, **given)


def coupon(**how: int) -> CouponTerms:
    given: dict[str, int | None] = {
        "off_fen": None,
        "percent_off": None,
        "off_max_fen": None,
        **how,
    }
    least = given.pop("min_spend_fen", 0)
    return CouponTerms(
        "C", "Five off", Scope(), min_spend_fen=least or 0, expires_at=LATER, **given
    )


def test_the_cheapest_of_level_quantity_and_special_price_is_taken_alone() -> None:
    ten = item(1000, 10, quantity_prices=((10, 900),))
    gold = Terms("Gold", 95)
    assert price([ten], gold)[0].steps[1] == PriceStep("quantity", "", -1000)
    assert price([item(1000)], gold)[0].steps[1] == PriceStep("level", "Gold", -50)
    with_grant = Terms("Gold", 95, (special(percent_off=30),))
    assert price([item(1000)], with_grant)[0].steps[1] == PriceStep("special", "Back", -300)
    # for ten pieces, 30 % off one of them is less than 10 % off all
    assert price([ten], with_grant)[0].steps[1] == PriceStep("quantity", "", -1000)


def test_each_form_of_special_price() -> None:
    assert special(percent_off=15).total_for(999, 1) == 849  # 849.15
    assert special(off_fen=300).total_for(1000, 1) == 700
    assert special(price_fen=250).total_for(1000, 1) == 250
    assert special(price_fen=250, quantity_max=2).total_for(1000, 3) == 1500
    assert special(off_fen=5000).total_for(1000, 1) == 1, "never below a fen"


def test_a_percentage_coupon_is_rounded_up_and_bounded() -> None:
    line = price([item(333)], Terms())
    assert coupon_worth(line, coupon(percent_off=10, off_max_fen=1000)) == 34
    assert coupon_worth(line, coupon(percent_off=10, off_max_fen=20)) == 20
    assert coupon_worth(line, coupon(off_fen=100, min_spend_fen=334)) == 0
    assert coupon_worth(line, coupon(off_fen=100, min_spend_fen=333)) == 100
    assert coupon_worth(line, coupon(off_fen=1000)) == 332, "a fen stays to be paid"


def test_a_coupon_is_spread_in_proportion_over_what_it_covers() -> None:
    lines = price([item(1000), item(2000), Item(2, 2, "films", 1, 3000)], Terms())
    games = CouponTerms("C", "Games", Scope(scene="games"), 500, None, None, 0, LATER)
    assert [line.total_fen for line in with_coupon(lines, games)] == [834, 1666, 3000]


def test_the_gift_comes_once_its_scope_is_paid_enough_for() -> None:
    ten = Gift(1, "10 brings 5", Scope(scene="games"), 1000, 9, 1)
    twenty = Gift(2, "20 brings 12", Scope(), 2000, 9, 2)
    assert gift_for(price([item(999)], Terms()), (twenty, ten)) is None
    assert gift_for(price([item(1000)], Terms()), (twenty, ten)) == ten
    assert gift_for(price([item(2000)], Terms()), (twenty, ten)) == twenty
    assert gift_for(price([Item(1, 1, "films", 1, 1500)], Terms()), (twenty, ten)) is None
    given = as_gift(item(500), ten)
    assert (given.total_fen, explained(given)) == (0, 0)
    assert given.steps[1] == PriceStep("gift", "10 brings 5", -500)
