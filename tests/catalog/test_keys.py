"""Card keys: taken in all or none, sealed in their own row, shown only with a line in the book."""

from __future__ import annotations

import datetime as dt
import logging
import pickle
import traceback
from importlib import import_module
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from django.db import IntegrityError, connection, transaction

from liuke.base import clock, sealing
from liuke.base.secret_text import SecretText
from liuke.catalog import actions, queries
from liuke.catalog.errors import (
    KeyEnded,
    KeyHeld,
    KeysRefused,
    MayNotReveal,
    NoKeys,
    NoKeyStock,
    ReasonMissing,
    TooManyKeys,
    TooManyReveals,
    UnknownKey,
    UnreadableKeys,
)
from liuke.catalog.events import KeysImported
from liuke.catalog.models import CardKey, KeyAccess, KeyBatch, KeyPolicy, Variant
from liuke.events.models import Event
from liuke.people.models import Login, StaffAct
from tests.catalog import make
from tests.merchants import make as merchants
from tests.people import make as people

pytestmark = pytest.mark.django_db
CANARY = "CANARY-7F3K-29QX-88WV"


def take(of: Variant, content: bytes | str, name: str = "") -> int:
    return actions.import_keys(variant=of, content=content, by=None, name=name).keys


def plain(key: CardKey, login: Login) -> str:
    """What a key says, asked for as its operator."""
    return actions.reveal_key(key_id=key.pk, actor=login, role="operator", reason="test").reveal()


def refused_lines(of: Variant, content: bytes | str, name: str = "") -> tuple[Any, ...]:
    before = CardKey.objects.count(), KeyBatch.objects.count(), Event.objects.count()
    with pytest.raises(KeysRefused) as refused:
        take(of, content, name)
    assert (CardKey.objects.count(), KeyBatch.objects.count(), Event.objects.count()) == before
    assert CANARY not in f"{refused.value} {refused.value!r} {refused.value.lines}"
    return refused.value.lines


# Taking in ----------------------------------------------------------------------------------------


def test_a_file_of_keys_comes_in_sealed_and_says_so(operator: Login) -> None:
    variant = make.variant()
    done = actions.import_keys(
        variant=variant, content=f"{CANARY}\n\n  短卡密九 \r\nAB CD\n", by=operator, name="七月.txt"
    )
    assert (done.keys, done.sold_elsewhere, done.batch.key_count, done.batch.name) == (
        3,
        0,
        3,
        "七月.txt",
    )
    rows = list(CardKey.objects.order_by("id"))
    assert [plain(row, operator) for row in rows] == [CANARY, "短卡密九", "AB CD"]
    assert [row.last_four for row in rows] == ["88WV", "", ""]
    event = Event.objects.get(name="catalog.KeysImported")
    assert event.payload == {"batch_id": done.batch.pk, "variant_id": variant.pk, "keys": 3}
    act = StaffAct.objects.get(verb="keys.import")
    assert (act.by, act.about) == (operator, variant.product.reference)
    assert CANARY not in str(act.detail)


@pytest.mark.parametrize(
    ("content", "name", "keys"),
    [
        ("ABCD1\r\nABCD2\r\n", "k.txt", ["ABCD1", "ABCD2"]),
        ("\ufeffABCD1\nABCD2".encode(), "", ["ABCD1", "ABCD2"]),
        ("卡号一二三,密码\n".encode("gb18030"), "k.txt", ["卡号一二三,密码"]),
        ("卡号,密码\n10001,AA11\n10002,BB22\n", "k.CSV", ["10001 AA11", "10002 BB22"]),
        ('"10,001",AA11\n\n10002,\n', "k.csv", ["10,001 AA11", "10002"]),
        ("ABCD1\nABCD2".encode("utf-16"), "k.txt", ["ABCD1", "ABCD2"]),
        ("卡密\n卡密一二\n", "k.csv", ["卡密一二"]),
        ("AB\tCD  EF", "k.txt", ["AB CD EF"]),
    ],
)
def test_files_are_read_as_people_have_them(
    content: bytes | str, name: str, keys: list[str], operator: Login
) -> None:
    take(make.variant(), content, name)
    assert [plain(row, operator) for row in CardKey.objects.order_by("id")] == keys


def test_bad_lines_are_named_and_nothing_is_taken_in() -> None:
    content = f"{CANARY}\nabc\n\nGOOD-KEY-1\n{'x' * 501}\nBAD\x07BELL\n"
    assert refused_lines(make.variant(), content) == (
        (2, "too_short", 0),
        (5, "too_long", 0),
        (6, "unprintable", 0),
    )


def test_the_same_key_twice_in_a_file_is_refused_whatever_its_case_and_spaces() -> None:
    content = f"{CANARY}\nOTHER-1\n{CANARY.lower()}\n{CANARY.replace('-', ' - ')}\nＯＴＨＥＲ-1"
    assert refused_lines(make.variant(), content) == (
        (3, "twice", 1),
        (4, "twice", 1),
        (5, "twice", 2),
    )


def test_a_key_the_merchant_has_already_is_refused_under_any_variant() -> None:
    product = make.product()
    one, two = make.variant(product, "一"), make.variant(product, "二")
    take(one, f"{CANARY}\nAAAA-1")
    assert refused_lines(two, f"BBBB-1\n{CANARY.lower()}") == ((2, "known", 0),)


def test_at_most_fifty_bad_lines_are_shown_and_all_are_counted() -> None:
    with pytest.raises(KeysRefused) as refused:
        take(make.variant(), "\n".join(f"a{n % 10}" for n in range(120)))
    assert refused.value.params == {"count": 120}
    assert [line for line, _, _ in refused.value.lines] == list(range(1, 51))


def test_another_merchant_may_have_the_same_key_but_it_is_noticed() -> None:
    take(make.variant(), f"{CANARY}\nAAAA-1")
    theirs = make.variant(make.product(merchants.merchant("别家")))
    done = actions.import_keys(variant=theirs, content=f"{CANARY.lower()}\nCCCC-1", by=None)
    assert done.sold_elsewhere == 1
    assert {key.merchant.name for key in queries.sold_by_two()} == {"山海卡铺", "别家"}
    assert len({bytes(key.platform_index) for key in queries.sold_by_two()}) == 1
    assert len({bytes(key.merchant_index) for key in queries.sold_by_two()}) == 2


def test_keys_taken_back_unsold_may_come_again_and_sold_ones_never() -> None:
    variant = make.variant()
    take(variant, "SOLD-0001\nWRONG-001")
    make.hold("o1", (variant, 1))
    sold = actions.take_stock(token="o1")[0].key_id
    for key in CardKey.objects.all():
        actions.revoke_key(key_id=key.pk, why="wrong product")
    assert CardKey.objects.get(pk=sold).delivered_at is not None
    assert refused_lines(variant, "SOLD-0001") == ((1, "known", 0),)
    assert take(variant, "WRONG-001") == 1


def test_files_that_are_no_good_as_a_whole() -> None:
    variant = make.variant()
    for content in ("", b"", " \n\n\t\n", "\ufeff"):
        with pytest.raises(NoKeys):
            take(variant, content)
    with pytest.raises(UnreadableKeys):
        take(variant, b"\xff\xff\xff\xfe\x00")
    with pytest.raises(TooManyKeys):
        take(variant, "ABCD\n" * 200_001)
    with pytest.raises(NoKeyStock):
        take(make.variant(make.product(merchants.merchant("二"), kind="top_up")), "ABCD1")
    assert CardKey.objects.count() == 0


def test_ten_thousand_keys_come_in_within_seconds() -> None:
    variant = make.variant()
    content = "\n".join(f"CARD-{n:08}-{n * 7919 % 10**8:08}" for n in range(10_000))
    began = clock.now()
    assert take(variant, content.encode()) == 10_000
    assert (clock.now() - began).total_seconds() < 10
    assert make.left(variant) == 10_000


# Sealed in its own row -----------------------------------------------------------------------------


def swap(column: str, one: int, two: int) -> None:
    """What a thief with the database could do: one row's content in another's place."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE catalog_card_key DISABLE TRIGGER USER")
        cursor.execute(
            f"UPDATE catalog_card_key SET {column} = (SELECT {column} FROM catalog_card_key WHERE id = %s)"
            " WHERE id = %s",
            [one, two],
        )


@pytest.mark.parametrize("column", ["sealed", "variant_id", "batch_id"])
def test_a_row_that_was_swapped_does_not_open(column: str, operator: Login) -> None:
    product = make.product()
    first, second = make.variant(product, "一", keys=1), make.variant(product, "二", keys=1)
    one, two = (CardKey.objects.get(variant=v) for v in (first, second))
    swap(column, one.pk, two.pk)
    with pytest.raises((InvalidTag, InvalidUnwrap)):
        plain(two, operator)
    assert plain(one, operator).startswith("KEY")


def test_two_keys_of_one_batch_do_not_change_places(operator: Login) -> None:
    make.variant(keys=2)
    one, two = CardKey.objects.order_by("id")
    swap("sealed", one.pk, two.pk)
    with pytest.raises(InvalidTag):
        plain(two, operator)


def test_a_new_master_key_touches_data_keys_only_and_everything_stays_readable(
    operator: Login, settings: Any, tmp_path: Any
) -> None:
    settings.LIUKE_HOME = str(tmp_path)
    variant = make.variant()
    take(variant, CANARY)
    before = CardKey.objects.values("sealed", "batch_id").get()
    wrapped = bytes(KeyBatch.objects.get().wrapped_key)
    assert actions.rotate_master_key() == (2, 1)
    assert CardKey.objects.values("sealed", "batch_id").get() == before
    batch = KeyBatch.objects.get()
    assert (batch.master_version, bytes(batch.wrapped_key) == wrapped) == (2, False)
    assert plain(CardKey.objects.get(), operator) == CANARY
    take(variant, "NEWER-KEY-1")
    assert KeyBatch.objects.filter(master_version=2).count() == 2
    assert actions.rotate_master_key() == (3, 2)
    assert [plain(key, operator) for key in CardKey.objects.order_by("id")] == [
        CANARY,
        "NEWER-KEY-1",
    ]


def test_a_change_of_the_master_key_that_breaks_off_harms_nothing(
    operator: Login, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIUKE_HOME = str(tmp_path)
    product = make.product()
    for number in range(4):
        take(make.variant(product, f"{number}"), f"{CANARY}-{number}")
    monkeypatch.setattr("liuke.catalog.actions.master_key.BATCHES_AT_ONCE", 1)
    wrap, calls = sealing.wrap_data_key, iter(range(2))

    def dies_at_the_third(key: bytes) -> tuple[bytes, int]:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return wrap(key)

    with monkeypatch.context() as dying:
        dying.setattr(sealing, "wrap_data_key", dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            actions.rotate_master_key()
    versions = KeyBatch.objects.order_by("id").values_list("master_version", flat=True)
    assert list(versions) == [2, 2, 1, 1]
    texts = [f"{CANARY}-{number}" for number in range(4)]
    assert [plain(key, operator) for key in CardKey.objects.order_by("id")] == texts
    assert actions.wrap_anew() == 2
    assert list(versions.all()) == [2, 2, 2, 2]
    assert [plain(key, operator) for key in CardKey.objects.order_by("id")] == texts


def test_without_the_master_key_nothing_opens(
    operator: Login, settings: Any, tmp_path: Any
) -> None:
    settings.LIUKE_HOME = str(tmp_path / "one")
    take(make.variant(), CANARY)
    settings.LIUKE_HOME = str(tmp_path / "two")
    with pytest.raises(InvalidUnwrap):
        plain(CardKey.objects.get(), operator)


# Looking ------------------------------------------------------------------------------------------


def test_who_looks_is_written_down_before_the_key_is_opened(
    operator: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.variant(keys=1)
    key, seen = CardKey.objects.get(), []

    def opened(of: CardKey) -> SecretText:
        seen.append(KeyAccess.objects.filter(key=of).count())
        return SecretText("x")

    monkeypatch.setattr("liuke.catalog.actions.keys.open_key", opened)
    actions.reveal_key(
        key_id=key.pk, actor=operator, role="operator", reason="a test", ip="203.0.113.9"
    )
    assert seen == [1]
    line = queries.access_history(key.pk).get()
    assert (line.login, line.person, line.role, line.reason, line.network) == (
        operator,
        None,
        "operator",
        "a test",
        "203.0.113.9",
    )


def test_a_key_that_cannot_be_opened_leaves_no_line(
    operator: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.variant(keys=1)

    def broken(of: CardKey) -> SecretText:
        raise InvalidTag

    monkeypatch.setattr("liuke.catalog.actions.keys.open_key", broken)
    with pytest.raises(InvalidTag):
        plain(CardKey.objects.get(), operator)
    assert KeyAccess.objects.count() == 0


def test_a_buyer_sees_what_was_delivered_and_nothing_before() -> None:
    variant = make.variant()
    take(variant, CANARY)
    buyer = people.member("13800138000", source="site")
    key = CardKey.objects.get()
    with pytest.raises(MayNotReveal):
        actions.reveal_key(key_id=key.pk, actor=buyer, role="buyer")
    make.hold("o1", (variant, 1))
    with pytest.raises(MayNotReveal):
        actions.reveal_key(key_id=key.pk, actor=buyer, role="buyer")
    actions.take_stock(token="o1")
    shown = actions.reveal_key(key_id=key.pk, actor=buyer, role="buyer", ip="2001:db8::1")
    assert shown.reveal() == CANARY
    line = queries.access_history(key.pk).get()
    assert (line.person, line.login, line.network) == (buyer, None, "2001:db8::/64")


def test_a_merchant_sees_their_own_unsold_keys_and_no_others() -> None:
    variant = make.variant(keys=2)
    ours = merchants.staff(variant.product.merchant)
    theirs = merchants.staff(merchants.merchant("别家"), "别人")
    first, second = CardKey.objects.order_by("id")
    asked = {"role": "merchant", "reason": "to compare"}
    assert actions.reveal_key(key_id=first.pk, actor=ours, **asked).reveal().startswith("KEY")
    with pytest.raises(UnknownKey):
        actions.reveal_key(key_id=first.pk, actor=theirs, **asked)
    make.hold("o1", (variant, 1))
    actions.take_stock(token="o1")
    with pytest.raises(MayNotReveal):
        actions.reveal_key(key_id=first.pk, actor=ours, **asked)
    assert KeyAccess.objects.count() == 1
    assert second.state == "free"


def test_staff_say_why_and_only_as_what_they_are(operator: Login) -> None:
    make.variant(keys=1)
    key = CardKey.objects.get()
    with pytest.raises(ReasonMissing):
        actions.reveal_key(key_id=key.pk, actor=operator, role="operator", reason="  ")
    for role in ("agent", "merchant", "buyer", "system", "nobody"):
        with pytest.raises(MayNotReveal):
            actions.reveal_key(key_id=key.pk, actor=operator, role=role, reason="why")
    with pytest.raises(UnknownKey):
        actions.reveal_key(key_id=key.pk + 1, actor=operator, role="operator", reason="why")
    assert KeyAccess.objects.count() == 0


def test_one_login_sees_so_many_keys_an_hour(operator: Login, noon: dt.datetime) -> None:
    KeyPolicy.objects.create(reveals_an_hour=3, set_at=noon)
    make.variant(keys=1)
    key = CardKey.objects.get()
    for _ in range(3):
        plain(key, operator)
    with pytest.raises(TooManyReveals):
        plain(key, operator)
    assert KeyAccess.objects.count() == 3
    with clock.stopped_at(noon + dt.timedelta(hours=1, seconds=1)):
        assert plain(key, operator)


def test_the_book_of_who_looked_is_never_changed(operator: Login) -> None:
    make.variant(keys=1)
    plain(CardKey.objects.get(), operator)
    for change in ("UPDATE catalog_key_access SET reason = 'x'", "DELETE FROM catalog_key_access"):
        with (
            pytest.raises(IntegrityError, match="is refused"),
            transaction.atomic(),
            connection.cursor() as c,
        ):
            c.execute(change)


# Out of use ---------------------------------------------------------------------------------------


def test_a_free_and_a_delivered_key_can_be_ended_a_held_one_cannot(operator: Login) -> None:
    variant = make.variant(keys=3)
    make.hold("o1", (variant, 1))
    delivered = actions.take_stock(token="o1")[0].key_id
    make.hold("o2", (variant, 1))
    held, free = (CardKey.objects.get(state=state).pk for state in ("held", "free"))
    with pytest.raises(KeyHeld):
        actions.revoke_key(key_id=held, why="x")
    actions.mark_bad(key_id=delivered, why="does not work", by=operator)
    actions.revoke_key(key_id=free, why="recalled", by=operator)
    counts = queries.key_counts(variant)
    assert (counts.free, counts.held, counts.bad, counts.revoked) == (0, 1, 1, 1)
    for action in (actions.revoke_key, actions.mark_bad):
        with pytest.raises(KeyEnded):
            action(key_id=delivered, why="again")
    with pytest.raises(UnknownKey):
        actions.mark_bad(key_id=10**9, why="x")
    acts = StaffAct.objects.filter(verb__startswith="key.").values_list("verb", flat=True)
    assert sorted(acts) == ["key.bad", "key.revoked"]


def test_ending_a_key_needs_a_word_why() -> None:
    make.variant(keys=1)
    key = CardKey.objects.get()
    with pytest.raises(ReasonMissing):
        actions.revoke_key(key_id=key.pk, why=" ")
    assert CardKey.objects.get().state == "free"


def test_a_whole_batch_is_taken_back_but_for_what_is_held_or_sold() -> None:
    variant = make.variant(keys=4)
    make.hold("o1", (variant, 1))
    actions.take_stock(token="o1")
    make.hold("o2", (variant, 1))
    assert actions.revoke_batch(batch=KeyBatch.objects.get(), why="wrong file", by=None) == 2
    counts = queries.key_counts(variant)
    assert (counts.free, counts.held, counts.delivered, counts.revoked) == (0, 1, 1, 2)
    batch = queries.batches(variant).get()
    assert (batch.free_count, batch.revoked_count) == (0, 2)


# Never in plain by accident -----------------------------------------------------------------------


def test_a_secret_shows_itself_only_when_asked(caplog: pytest.LogCaptureFixture) -> None:
    secret = SecretText(CANARY)
    logging.getLogger("liuke").warning("got %s %r", secret, secret)
    shown = f"{secret} {secret!r} {secret:>40} {[secret]} {caplog.text}"
    assert CANARY not in shown
    assert "••••" in shown
    assert secret.reveal() == CANARY
    assert secret == SecretText(CANARY)
    assert secret != SecretText("x")
    assert secret != CANARY
    assert len({secret, SecretText(CANARY)}) == 1
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_no_refusal_and_no_traceback_of_an_import_names_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variant = make.variant()
    take(variant, CANARY)
    with pytest.raises(KeysRefused) as refused:
        take(variant, f"{CANARY}\n{CANARY}")
    assert CANARY not in "".join(traceback.format_exception(refused.value))
    module = import_module("liuke.catalog.actions.import_keys")
    monkeypatch.setattr(module, "_known", lambda *_: [])  # as if two imports met
    with pytest.raises(IntegrityError) as crash:
        take(variant, CANARY)
    assert CANARY not in "".join(traceback.format_exception(crash.value))


def test_facts_of_keys_hold_no_key() -> None:
    assert list(KeysImported.__dataclass_fields__) == ["batch_id", "variant_id", "keys"]
