"""Facts go to the log and come back the same, or not at all."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, make_dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuke.events import facts
from liuke.events.facts import BadFact, UnknownFact, fact, read_fact, upcaster, write_fact


@fact(name="test.EverythingTold", version=1)
@dataclass(frozen=True)
class EverythingTold:
    number: int
    text: str
    is_so: bool
    on: dt.date
    at: dt.datetime
    maybe: int | None
    either: int | str | None
    numbers: list[int]
    days: tuple[dt.date, ...]
    by_name: dict[str, dt.datetime | None]
    nested: dict[str, list[dict[str, int | None]]]


@fact(name="test.PriceSeen", version=3)
@dataclass(frozen=True)
class PriceSeen:
    total_fen: int
    currency: str


@upcaster("test.PriceSeen", 1)
def yuan_became_fen(payload: facts.Payload) -> facts.Payload:
    return {"fen": payload["yuan"] * 100}


@upcaster("test.PriceSeen", 2)
def fen_became_an_amount(payload: facts.Payload) -> facts.Payload:
    return {"total_fen": payload["fen"], "currency": "CNY"}


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
moments = st.datetimes(timezones=st.just(dt.UTC))
everything = st.builds(
    EverythingTold,
    number=st.integers(),
    text=texts,
    is_so=st.booleans(),
    on=st.dates(),
    at=moments,
    maybe=st.none() | st.integers(),
    either=st.none() | st.integers() | texts,
    numbers=st.lists(st.integers()),
    days=st.lists(st.dates()).map(tuple),
    by_name=st.dictionaries(texts, st.none() | moments),
    nested=st.dictionaries(texts, st.lists(st.dictionaries(texts, st.none() | st.integers()))),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(everything)
def test_what_is_written_is_read_back(told: EverythingTold) -> None:
    kind, payload = write_fact(told)
    assert read_fact(kind.name, kind.version, payload) == told


def test_a_moment_keeps_its_instant_in_utc() -> None:
    @fact(name="test.MomentTold")
    @dataclass(frozen=True)
    class MomentTold:
        at: dt.datetime

    shanghai = dt.timezone(dt.timedelta(hours=8))
    _, payload = write_fact(MomentTold(dt.datetime(2026, 1, 1, tzinfo=shanghai)))
    assert payload == '{"at":"2025-12-31T16:00:00+00:00"}'


@pytest.mark.parametrize(
    ("version", "payload"),
    [
        (1, '{"yuan":12}'),
        (2, '{"fen":1200}'),
        (3, '{"total_fen":1200,"currency":"CNY"}'),
    ],
)
def test_a_frozen_sample_of_every_version_is_read_as_today(version: int, payload: str) -> None:
    assert read_fact("test.PriceSeen", version, payload) == PriceSeen(1200, "CNY")


def test_no_declared_fact_has_an_old_version_that_nobody_can_read() -> None:
    assert facts.missing_upcasters() == []


@pytest.mark.parametrize(("name", "version"), [("test.NeverTold", 1), ("test.PriceSeen", 4)])
def test_a_name_or_version_of_another_release_is_named_in_the_error(
    name: str, version: int
) -> None:
    with pytest.raises(UnknownFact, match=f"{name} version {version}"):
        read_fact(name, version, "{}")


@pytest.mark.parametrize(
    "payload",
    [
        '{"total_fen":1200}',
        '{"total_fen":1200,"currency":"CNY","more":1}',
        '{"total_fen":1200,"curency":"CNY"}',
        '{"total_fen":true,"currency":"CNY"}',
        '{"total_fen":1.5,"currency":"CNY"}',
        '{"total_fen":1200,"currency":null}',
    ],
)
def test_a_payload_that_does_not_fit_is_refused(payload: str) -> None:
    with pytest.raises(BadFact, match=r"test\.PriceSeen"):
        read_fact("test.PriceSeen", 3, payload)


@pytest.mark.parametrize(
    ("total", "currency"),
    [(True, "CNY"), (1.5, "CNY"), (12, None), (12, "a\x00b"), (12, "\ud800"), (12, b"CNY")],
)
def test_a_fact_filled_with_something_else_is_refused(total: object, currency: object) -> None:
    with pytest.raises(BadFact, match=r"test\.PriceSeen\."):
        write_fact(PriceSeen(total, currency))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hint", [float, bytes, set[int], dict[int, str], list, dt.date | str, object]
)
def test_a_declaration_with_other_than_plain_data_is_refused(hint: object) -> None:
    odd = make_dataclass("Odd", [("field", hint)], frozen=True)
    with pytest.raises(BadFact):
        fact(name="test.OddTold")(odd)


def test_a_moment_without_a_zone_is_refused() -> None:
    @fact(name="test.NaiveTold")
    @dataclass(frozen=True)
    class NaiveTold:
        at: dt.datetime

    with pytest.raises(BadFact, match="time zone"):
        write_fact(NaiveTold(dt.datetime(2026, 1, 1)))


def test_a_fact_that_can_be_changed_is_refused() -> None:
    @dataclass
    class Soft:
        n: int

    with pytest.raises(BadFact, match="frozen"):
        fact(name="test.SoftTold")(Soft)


def test_one_name_belongs_to_one_fact() -> None:
    with pytest.raises(BadFact, match="already"):
        fact(name="test.PriceSeen")(make_dataclass("Other", [("n", int)], frozen=True))


def test_an_undeclared_object_is_refused() -> None:
    with pytest.raises(BadFact, match="@fact"):
        write_fact({"plain": "dict"})
