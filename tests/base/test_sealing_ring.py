"""A master key that is renewed still opens what it sealed before, in every process and after every crash."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap

from liuke.base import sealing

PURPOSE = "people.phone"


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    """A home of its own, without a key yet."""
    settings.LIUKE_HOME = str(tmp_path)
    sealing._ring_at.cache_clear()
    return tmp_path


def test_what_an_older_key_sealed_stays_readable(home: Path) -> None:
    first = sealing.seal("13800138000", PURPOSE)
    index = sealing.blind_index("13800138000", PURPOSE)
    assert (first[0], sealing.newest_master_key()) == (1, 1)
    assert sealing.add_master_key() == 2
    second = sealing.seal("13900139000", PURPOSE)
    assert (second[0], sealing.newest_master_key()) == (2, 2)
    assert sealing.unseal(first, PURPOSE) == "13800138000"
    assert sealing.unseal(second, PURPOSE) == "13900139000"
    assert sealing.blind_index("13800138000", PURPOSE) == index
    with pytest.raises(InvalidTag):
        sealing.unseal(b"\x02" + first[1:], PURPOSE)
    assert os.stat(sealing.key_file()).st_mode & 0o777 == 0o600
    assert [path.name for path in sealing.key_file().parent.iterdir()] == ["master.key"]


def test_a_process_that_knows_the_old_key_learns_the_new_one_when_it_meets_it(home: Path) -> None:
    sealing.seal("x", PURPOSE)
    known = sealing._ring_at(sealing.key_file())
    sealing.add_master_key()
    sealed = sealing.seal("new", PURPOSE)
    wrapped, number = sealing.wrap_data_key(b"k" * 32)
    sealing._ring_at.cache_clear()
    material = sealing.key_file().read_bytes()
    sealing.key_file().write_bytes(material[:64])
    assert sealing._ring_at(sealing.key_file()) == known  # an old process, as it were
    sealing.key_file().write_bytes(material)
    assert sealing.unseal(sealed, PURPOSE) == "new"
    assert sealing.unwrap_data_key(wrapped, number) == b"k" * 32


def test_a_data_key_opens_under_its_own_master_key_only(home: Path) -> None:
    key = sealing.new_data_key()
    wrapped, number = sealing.wrap_data_key(key)
    sealing.add_master_key()
    assert (number, sealing.unwrap_data_key(wrapped, 1)) == (1, key)
    assert key not in wrapped
    with pytest.raises(InvalidUnwrap):
        sealing.unwrap_data_key(wrapped, 2)
    with pytest.raises(InvalidUnwrap):
        sealing.unwrap_data_key(wrapped[:-1] + bytes([wrapped[-1] ^ 1]), 1)
    for unknown in (0, 3, 200):
        with pytest.raises(sealing.UnknownMasterKey):
            sealing.unwrap_data_key(wrapped, unknown)


def test_two_who_renew_at_once_lose_neither_key(home: Path) -> None:
    sealing.seal("x", PURPOSE)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: sealing.add_master_key(), range(8)))
    assert sorted(numbers) == list(range(2, 10))
    assert sealing.newest_master_key() == 9
    assert len(sealing.key_file().read_bytes()) == 32 * 10


def test_a_renewal_that_dies_before_its_end_leaves_the_old_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = sealing.seal("x", PURPOSE)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(os, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            sealing.add_master_key()
    sealing._ring_at.cache_clear()
    assert (sealing.newest_master_key(), sealing.unseal(sealed, PURPOSE)) == (1, "x")
    assert sealing.add_master_key() == 2


def test_there_is_room_for_so_many_keys_only(home: Path) -> None:
    sealing.seal("x", PURPOSE)
    first = sealing.key_file().read_bytes()
    sealing.key_file().write_bytes(first + os.urandom(32 * 254))
    sealing._ring_at.cache_clear()
    assert sealing.newest_master_key() == 255
    with pytest.raises(ValueError, match="at most 255"):
        sealing.add_master_key()


def test_an_exported_key_is_put_back_also_over_an_earlier_state_of_itself(
    home: Path, settings: Any, tmp_path: Path
) -> None:
    sealing.seal("x", PURPOSE)
    early = sealing.key_file().read_bytes()
    sealing.add_master_key()
    late = sealing.key_file().read_bytes()
    assert sealing.put_back(late)
    assert sealing.put_back(early)  # nothing to do: it is in there
    assert sealing.key_file().read_bytes() == late
    settings.LIUKE_HOME = str(tmp_path / "restored")
    assert sealing.put_back(early)
    assert sealing.put_back(late)
    assert sealing.key_file().read_bytes() == late
    assert sealing.newest_master_key() == 2
    settings.LIUKE_HOME = str(tmp_path / "other")
    sealing.seal("x", PURPOSE)
    other = sealing.key_file().read_bytes()
    assert not sealing.put_back(late)
    assert sealing.key_file().read_bytes() == other
    with pytest.raises(ValueError, match="not a Liuke master key"):
        sealing.put_back(late[:50])


def test_a_backup_knows_the_key_it_was_made_with_also_after_a_renewal(home: Path) -> None:
    assert sealing.fingerprints(sealing.key_file()) == ()
    sealing.seal("x", PURPOSE)
    (first,) = sealing.fingerprints(sealing.key_file())
    sealing.add_master_key()
    both = sealing.fingerprints(sealing.key_file())
    assert both[0] == first
    assert len(set(both)) == 2
