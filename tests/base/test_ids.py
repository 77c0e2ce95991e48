"""References survive being read aloud, typed and photographed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from liuke.base import chance, ids

LETTER = st.sampled_from(ids.ALPHABET)
SEEDS = st.integers(0, 2**32)


@given(SEEDS)
def test_a_reference_is_read_back_however_it_is_typed(seed: int) -> None:
    with chance.seeded(seed):
        reference = ids.new_reference()
    assert len(reference) == 12
    typed = f" {reference[:4].lower()}-{reference[4:8]} {reference[8:]} "
    assert ids.read_reference(typed) == reference


@given(SEEDS, st.integers(0, 10), LETTER)
def test_one_wrong_letter_is_always_noticed(seed: int, place: int, letter: str) -> None:
    with chance.seeded(seed):
        reference = ids.new_reference()
    if reference[place] == letter:
        return
    assert ids.read_reference(reference[:place] + letter + reference[place + 1 :]) is None


def test_what_cannot_be_a_reference_is_none() -> None:
    for text in ("", "0", "O", "2", "IIIII", "会员", "23-"):
        assert ids.read_reference(text) is None


def test_chance_is_the_same_for_the_same_seed_and_the_systems_outside() -> None:
    with chance.seeded(7):
        first = ids.new_reference()
    with chance.seeded(7):
        assert ids.new_reference() == first
    assert ids.new_reference() != ids.new_reference()
