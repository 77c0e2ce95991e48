"""A file of orders is taken in whole or not at all, and never twice."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuke.analytics.errors import (
    CurrencyChanged,
    NothingToImport,
    UnknownCurrency,
    UnknownTimeZone,
    UnreadableOrderLog,
)
from liuke.analytics.invariants import invariants
from liuke.analytics.models import Import, MemberFacts, Purchase, PurchaseLine, Source
from liuke.base.audit import check
from liuke.events.models import Event
from liuke.people.models import Member
from tests.analytics import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def counts() -> tuple[int, ...]:
    return tuple(
        model.objects.count()
        for model in (Source, Import, Member, Purchase, PurchaseLine, MemberFacts, Event)
    )


def assert_audit_is_clean() -> None:
    assert {found.invariant.name: found.violations for found in map(check, invariants())} == {
        promise.name: 0 for promise in invariants()
    }


def test_each_line_without_an_order_number_is_an_order(tmp_path: Path) -> None:
    done = make.orders(
        tmp_path,
        "小明,2026-01-02 10:00,12.50,,月卡,1",
        "小明,2026-01-02 10:00,12.50,,月卡,1",
        "小红,2026-01-03 11:00,0,,试用,1",
    )
    assert (done.lines, done.accepted, done.rejected, done.blank) == (3, 3, 0, 0)
    assert (done.orders_new, done.orders_known, done.members_new) == (3, 0, 2)
    facts = MemberFacts.objects.get(member__external_id="小明")
    assert (facts.orders, facts.order_days, facts.spent_fen) == (2, 1, 2500)
    assert MemberFacts.objects.get(member__external_id="小红").orders == 1
    assert_audit_is_clean()


def test_lines_that_share_an_order_number_are_one_order_with_their_items(tmp_path: Path) -> None:
    done = make.orders(
        tmp_path,
        "m1,2026-01-02 10:05,5.00,A1,点卡,2",
        "m1,2026-01-02 10:00,7.00,A1,<script>alert(1)</script>,1",
        "m1,2026-01-05 09:00,1.00,A2,😀月卡,1",
        "m2,2026-01-02 10:00,7.00,A1,点卡,1",
    )
    assert done.orders_new == 3, "the same number with another member is another order"
    first = Purchase.objects.get(member__external_id="m1", order_number="A1")
    assert (first.amount_fen, first.quantity) == (1200, 3)
    assert first.at == dt.datetime(2026, 1, 2, 2, 0, tzinfo=dt.UTC)
    lines = PurchaseLine.objects.filter(purchase=first).order_by("line")
    assert [(line.item, line.quantity, line.amount_fen) for line in lines] == [
        ("点卡", 2, 500),
        ("<script>alert(1)</script>", 1, 700),
    ]
    assert PurchaseLine.objects.filter(item="😀月卡").count() == 1


def test_importing_again_changes_nothing_but_the_record_of_it(tmp_path: Path) -> None:
    lines = [
        "m1,2026-01-02,5.00,,a,1",
        "m1,2026-01-02,5.00,,b,1",
        "m2,2026-01-03,-5.00,R1,,1",
    ]
    make.orders(tmp_path, *lines)
    before = counts()
    facts = list(MemberFacts.objects.order_by("member").values())
    done = make.orders(tmp_path, *reversed(lines))
    assert (done.orders_new, done.orders_known, done.members_new) == (0, 3, 0)
    after = counts()
    assert after[2:6] == before[2:6]
    assert list(MemberFacts.objects.order_by("member").values()) == facts
    assert_audit_is_clean()


def test_a_longer_export_brings_only_what_is_new(tmp_path: Path) -> None:
    make.orders(tmp_path, "m1,2026-01-02,5.00,,,1")
    done = make.orders(
        tmp_path, "m1,2026-01-02,5.00,,,1", "m1,2026-01-02,5.00,,,1", "m1,2026-02-01,6.00,,,1"
    )
    assert (done.orders_new, done.orders_known) == (2, 1)
    facts = MemberFacts.objects.get()
    assert (facts.orders, facts.order_days, facts.spent_fen) == (3, 2, 1600)
    assert_audit_is_clean()


def test_a_return_reduces_money_and_is_no_order(tmp_path: Path) -> None:
    make.orders(
        tmp_path,
        "m1,2026-01-02,50.00,A1,,1",
        "m1,2026-02-02,-20.00,R1,,1",
        "m2,2026-02-02,-1.00,R2,,1",
    )
    facts = MemberFacts.objects.get(member__external_id="m1")
    assert (facts.orders, facts.returns, facts.spent_fen, facts.returned_fen) == (1, 1, 5000, 2000)
    assert facts.last_on == dt.date(2026, 1, 2)
    lone = MemberFacts.objects.get(member__external_id="m2")
    assert (lone.orders, lone.order_days, lone.first_on, lone.returned_fen) == (0, 0, None, 100)


def test_a_member_named_by_phone_is_sealed_however_the_number_is_written(tmp_path: Path) -> None:
    make.orders(
        tmp_path,
        "13800138000,2026-01-02,5,,,1",
        "+86 138 0013 8000,2026-01-03,5,,,1",
        "23800138000,2026-01-03,5,,,1",
    )
    assert Member.objects.count() == 2
    sealed = Member.objects.get(phone_sealed__isnull=False)
    assert sealed.name == "138****8000"
    assert MemberFacts.objects.get(member=sealed).orders == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', ["%13800138000%"]
            )
            assert cursor.fetchone() == (0,), table


def test_bad_lines_are_told_by_number_and_the_good_ones_taken(tmp_path: Path) -> None:
    told = []
    path = make.log_file(
        tmp_path,
        [
            "m1,2026-01-02,5.00,,,1",
            "m1,yesterday,5.00,,,1",
            ",2026-01-02,5.00,,,1",
            "m1,2027-01-02,1,,,1",
            "",
        ],
    )
    from liuke.analytics.actions.import_orders import import_orders
    from liuke.analytics.orderlog import Options, look
    from liuke.base import clock

    done = import_orders(
        log=look(path),
        columns=make.COLUMNS,
        options=Options(now=clock.now()),
        source_key="main",
        on_bad=told.append,
    )
    assert (done.accepted, done.rejected) == (1, 3)
    assert [line.line for line in told] == [3, 4, 5]
    assert done.lines == done.accepted + done.rejected + done.blank


@pytest.mark.parametrize(
    ("lines", "options", "refusal"),
    [
        (["m1,never,5,,,1"], {}, NothingToImport),
        (["m1,2026-01-02,5,,,1"], {"timezone": "Mars/Olympus"}, UnknownTimeZone),
        (["m1,2026-01-02,5,,,1"], {"timezone": "../../etc/passwd"}, UnknownTimeZone),
        (["m1,2026-01-02,5,,,1"], {"currency": "yuan"}, UnknownCurrency),
        (["m1,03/04/2026,5,,,1"], {}, UnreadableOrderLog),
    ],
)
def test_a_refused_import_leaves_nothing_behind(
    tmp_path: Path, lines: list[str], options: dict[str, str], refusal: type[Exception]
) -> None:
    before = counts()
    with pytest.raises(refusal) as refused:
        make.orders(tmp_path, *lines, **options)
    assert str(refused.value).endswith((".", "1", "DD/MM", "?")) or str(refused.value)
    assert counts() == before


def test_a_source_keeps_its_currency(tmp_path: Path) -> None:
    make.orders(tmp_path, "m1,2026-01-02,5,,,1")
    before = counts()
    with pytest.raises(CurrencyChanged, match="CNY Asia/Shanghai"):
        make.orders(tmp_path, "m1,2026-01-03,5,,,1", currency="USD")
    assert counts() == before
    assert (
        make.orders(tmp_path, "m1,2026-01-03,5,,,1", source="other", currency="USD").members_new
        == 1
    )


Line = tuple[str, int, int, str, str]
LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "13900139000"]),
        st.integers(1, 28),
        st.integers(-300, 900),
        st.sampled_from(["", "X1", "X2"]),
        st.sampled_from(["", "卡", 'a,"b"\n']),
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=st.lists(LINES, min_size=1, max_size=3))
def test_facts_kept_by_increments_equal_a_recount_whatever_comes_in(
    tmp_path: Path, files: list[list[Line]]
) -> None:
    from django.db import transaction

    from liuke.analytics.actions.rebuild_facts import rebuild_facts

    with transaction.atomic():
        for rows in files:
            lines = [
                f'{member},2026-01-{day:02},{fen / 100:.2f},{number},"{item.replace(chr(34), chr(34) * 2)}",1'
                for member, day, fen, number, item in rows
            ]
            make.orders(tmp_path, *lines)
        assert rebuild_facts().drifted == ()
        assert_audit_is_clean()
        transaction.set_rollback(True)
