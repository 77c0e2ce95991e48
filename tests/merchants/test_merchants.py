"""Merchants are opened, paused and closed; their staff are theirs alone."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.base.audit import check
from liuke.merchants import actions, queries
from liuke.merchants.errors import (
    BadFee,
    BadMerchantName,
    MerchantClosed,
    MerchantNameTaken,
    UnknownMerchant,
)
from liuke.merchants.models import Merchant, MerchantStaff
from liuke.people import queries as people
from liuke.people.actions import open_login, set_role
from liuke.people.errors import LoginNameTaken, UnknownLogin, UnknownRole, WeakPassword
from liuke.people.models import Login, StaffAct
from tests.merchants import make

pytestmark = pytest.mark.django_db


def test_a_merchant_is_opened_and_every_change_is_written_down(operator: Login) -> None:
    merchant = actions.open_merchant(name=" 山海  卡铺 ", fee_permyriad=300, by=operator)
    assert (merchant.name, merchant.state, merchant.fee_permyriad) == ("山海 卡铺", "active", 300)
    about = merchant.reference
    actions.set_fee(reference=about, fee_permyriad=0, by=operator)
    actions.set_fee(reference=about, fee_permyriad=0, by=operator)
    actions.pause_merchant(reference=about, by=operator)
    actions.pause_merchant(reference=about, by=operator)
    actions.resume_merchant(reference=about, by=operator)
    actions.close_merchant(reference=about, by=operator)
    acts = StaffAct.objects.filter(about=about, by=operator).order_by("id")
    assert list(acts.values_list("verb", flat=True)) == [
        "merchant.open",
        "merchant.fee",
        "merchant.pause",
        "merchant.resume",
        "merchant.close",
    ]
    assert Merchant.objects.get().state == "closed"


@pytest.mark.parametrize(
    ("name", "fee", "refusal"),
    [
        ("", 300, BadMerchantName),
        ("  ", 300, BadMerchantName),
        ("长" * 81, 300, BadMerchantName),
        ("a\x07b", 300, BadMerchantName),
        ("二号", -1, BadFee),
        ("二号", 5_001, BadFee),
        ("山海卡铺", 300, MerchantNameTaken),
    ],
)
def test_a_merchant_that_makes_no_sense_is_refused(
    name: str, fee: int, refusal: type[Exception]
) -> None:
    make.merchant()
    with pytest.raises(refusal):
        make.merchant(name, fee=fee)
    assert Merchant.objects.count() == 1


def test_a_closed_merchant_stays_closed() -> None:
    merchant = make.merchant()
    actions.close_merchant(reference=merchant.reference, by=None)
    given = {"reference": merchant.reference, "by": None}
    for action in (actions.resume_merchant, actions.pause_merchant, actions.close_merchant):
        with pytest.raises(MerchantClosed):
            action(**given)
    with pytest.raises(MerchantClosed):
        actions.set_fee(**given, fee_permyriad=1)
    with pytest.raises(MerchantClosed):
        make.staff(merchant)
    merchant.refresh_from_db()
    assert (merchant.state, merchant.fee_permyriad, MerchantStaff.objects.count()) == (
        "closed",
        300,
        0,
    )


def test_unknown_references_are_refused() -> None:
    make.merchant()
    with pytest.raises(UnknownMerchant):
        actions.pause_merchant(reference="XXXX", by=None)
    for text in ("", "XXXX", "' OR 1=1"):
        with pytest.raises(UnknownMerchant):
            queries.merchant_by_reference(text)


def test_staff_work_for_one_merchant_and_are_nobody_in_the_console() -> None:
    ours, theirs = make.merchant(), make.merchant("别家")
    login = make.staff(ours)
    assert (login.role, login.is_staff, login.is_operator) == ("merchant", False, False)
    assert queries.merchant_of(login) == ours
    assert [each.login for each in queries.staff_of(ours)] == [login]
    assert list(queries.staff_of(theirs)) == []
    assert login not in people.logins()
    with pytest.raises(LoginNameTaken):
        make.staff(theirs)
    with pytest.raises(WeakPassword):
        actions.add_staff(reference=ours.reference, name="二", password="short", by=None)
    assert Login.objects.filter(role="merchant").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        MerchantStaff.objects.create(merchant=theirs, login=login, added_at=login.opened_at)


def test_no_role_leads_from_a_merchant_into_the_console_or_back(operator: Login) -> None:
    login = make.staff(make.merchant())
    for role in ("operator", "agent"):
        with pytest.raises(UnknownLogin):
            set_role(name=login.name, role=role, by=operator)
    agent = open_login(name="小林", password=make.PASSWORD, role="agent")
    with pytest.raises(UnknownRole):
        set_role(name=agent.name, role="merchant", by=operator)
    roles = Login.objects.order_by("name").values_list("role", flat=True)
    assert sorted(roles) == ["agent", "merchant", "operator"]
    assert queries.merchant_of(agent) is None


def test_the_database_and_the_audit_know_the_words(operator: Login) -> None:
    merchant = make.merchant()
    for change in ("fee_permyriad = 5001", "state = 'gone'", "name = ''"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE merchants_merchant SET {change}")
    make.staff(merchant)
    (promise,) = queries.invariants()
    assert check(promise).violations == 0
    open_login(name="孤儿", password=make.PASSWORD, role="merchant")
    assert check(promise).violations == 1
