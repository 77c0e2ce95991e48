"""Offers: whom they are for, from when to when, and once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from liuke.membership import queries
from liuke.membership.actions import end_offer, make_offer, return_offer, use_offer
from liuke.membership.errors import BadOffer, OfferGone, UnknownOffer
from liuke.membership.models import OfferGrant, OfferUse
from liuke.membership.rules import Terms
from liuke.people.models import Member
from tests.conftest import NOON
from tests.membership import make
from tests.orders import make as orders
from tests.orders.make import member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def terms(who: Member, shop: orders.Shop, at: dt.datetime = NOON) -> Terms:
    return queries.terms_for(person_id=who.person_id, variants=[shop.coins], at=at)


def test_a_special_price_is_there_from_its_first_moment_to_its_last() -> None:
    shop, who = orders.shop(), member()
    grant = make.grant(make.special(), who, days=3)
    assert [special.grant_id for special in terms(who, shop).specials] == [grant.pk]
    last = NOON + dt.timedelta(days=3)
    assert terms(who, shop, last - dt.timedelta(microseconds=1)).specials
    assert not terms(who, shop, last).specials
    assert not terms(who, shop, NOON - dt.timedelta(microseconds=1)).specials
    assert not terms(member(), shop).specials, "it was granted to somebody else"


def test_a_special_price_is_about_its_scope() -> None:
    shop = orders.shop()
    other = orders.product(shop.merchant, scene="films")
    who = member()
    make.grant(make.special(scene_id="films"), who)
    make.grant(make.special(product=other.product), who)
    make.grant(make.special(price_fen=500, variant=other), who)
    assert not terms(who, shop).specials
    held = queries.terms_for(person_id=who.person_id, variants=[shop.coins, other], at=NOON)
    assert len(held.specials) == 3


def test_an_offer_is_granted_once_for_a_message() -> None:
    who, offer = member(), make.special()
    assert make.grant(offer, who, about="m1") == make.grant(offer, who, days=9, about="m1")
    make.grant(offer, who, about="m2")
    assert OfferGrant.objects.count() == 2
    assert OfferGrant.objects.earliest("pk").ends_at == NOON + dt.timedelta(days=3)


def test_a_grant_is_good_for_one_order_and_is_returned() -> None:
    shop, who = orders.shop(), member()
    grant = make.grant(make.special(), who)
    used = {"offer_id": grant.offer_id, "grant_id": grant.pk, "person_id": who.person_id}
    use_offer(**used, order_ref="LK1")
    assert not terms(who, shop).specials
    with pytest.raises(OfferGone):
        use_offer(**used, order_ref="LK2")
    assert return_offer(order_ref="LK1") == 1
    assert return_offer(order_ref="LK1") == 0
    assert terms(who, shop).specials
    use_offer(**used, order_ref="LK2")
    assert make.broken() == {}


def test_the_first_order_offer_is_once_a_person_ever_whatever_the_scene() -> None:
    shop, who = orders.shop(), member()
    games = make.first_order(shop.coins)
    video = make.first_order(shop.coins, scene_id="films", name="Other")
    assert [gift.offer_id for gift in terms(who, shop).gifts] == [games.pk]
    use_offer(offer_id=games.pk, grant_id=None, person_id=who.person_id, order_ref="LK1")
    assert not terms(who, shop).gifts
    with pytest.raises(OfferGone):
        use_offer(offer_id=video.pk, grant_id=None, person_id=who.person_id, order_ref="LK2")
    with pytest.raises(IntegrityError), transaction.atomic():
        OfferUse.objects.create(
            offer=video, kind="first_order", person=who, order_ref="LK3", at=NOON
        )
    return_offer(order_ref="LK1")
    assert len(terms(who, shop).gifts) == 1


def test_an_ended_offer_is_over_also_for_those_who_hold_it() -> None:
    shop, who = orders.shop(), member()
    offer = make.special()
    make.grant(offer, who)
    end_offer(reference=offer.reference, by=None)
    end_offer(reference=offer.reference, by=None)
    assert not terms(who, shop).specials
    with pytest.raises(UnknownOffer):
        end_offer(reference="2222", by=None)


@pytest.mark.parametrize(
    "fields",
    [
        {"percent_off": 0},
        {"percent_off": 100},
        {"percent_off": 10, "off_fen": 5},
        {"price_fen": 100, "scene_id": "games"},
        {"off_fen": -1},
        {"quantity_max": 0, "percent_off": 5},
        {"percent_off": 5, "ends_at": NOON - dt.timedelta(days=1)},
        {},
    ],
)
def test_an_offer_that_contradicts_itself_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadOffer):
        make_offer(kind="special_price", name="x", by=None, **fields)
    assert not queries.offers().exists()


def test_a_first_order_offer_needs_a_gift_and_a_bar() -> None:
    shop = orders.shop()
    for wrong in ({"gift_quantity": 0}, {"min_payable_fen": 0}, {"percent_off": 5}):
        with pytest.raises(BadOffer):
            make.first_order(shop.coins, **wrong)


def test_what_was_offered_granted_and_used_is_not_changed_by_hand() -> None:
    shop, who = orders.shop(), member()
    grant = make.grant(make.special(), who)
    use_offer(offer_id=grant.offer_id, grant_id=grant.pk, person_id=who.person_id, order_ref="LK1")
    for statement in (
        "UPDATE membership_offer SET percent_off = 90",
        "UPDATE membership_offer_grant SET ends_at = '2030-01-01'",
        "DELETE FROM membership_offer_grant",
        "UPDATE membership_offer_use SET order_ref = 'LK2'",
        "DELETE FROM membership_offer_use",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert not terms(who, shop).specials


def test_terms_are_asked_for_in_three_queries() -> None:
    shop, who = orders.shop(), member()
    make.grant(make.special(), who)
    make.first_order(shop.coins)
    make.coupon(who)
    with CaptureQueriesContext(connection) as asked:
        held = terms(who, shop)
    assert len(asked) == 3
    assert (len(held.specials), len(held.gifts), len(held.coupons)) == (1, 1, 1)


def test_the_audit_notices_a_use_that_does_not_fit_its_offer() -> None:
    who, other = member(), member()
    grant = make.grant(make.special(), who)
    OfferUse.objects.create(
        offer=grant.offer, grant=grant, kind="special_price", person=other, order_ref="LK1", at=NOON
    )
    assert make.broken() == {"membership.uses_fit_their_offer": 1}
