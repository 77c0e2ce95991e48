"""How is a phone number or a card key kept so that a stolen database does not tell it?

AES-256-GCM under a master key in `$LIUKE_HOME/secrets/` (0600, never in a backup), bound to what the value is for;
equality is asked through an HMAC-SHA-256 blind index under a second key. Many values that come in together are sealed
under a data key of their own, and only that is wrapped by the master key, so that a new master key need not touch them.

The file holds the first sealing key, the index key, and every later sealing key: 32 bytes each. What was sealed says
by which one, 1 being the first. Sealing keys are only ever added: an old one still opens what it sealed.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from django.conf import settings

KEYS_MAX = 255
_KEY_BYTES = 32
_NONCE_BYTES = 12


class UnknownMasterKey(LookupError):
    """Something was sealed by a master key that this home does not have."""


@dataclass(frozen=True)
class _Ring:
    """The keys of a master key file; `sealing[0]` is number 1."""

    sealing: tuple[bytes, ...]
    index: bytes

    @property
    def newest(self) -> int:
        return len(self.sealing)

    def box(self, number: int) -> AESGCM:
        return AESGCM(self._numbered(number))

    def wrapping(self, number: int) -> bytes:
        """A key of its own for wrapping: none is used for two things."""
        return hmac.new(self._numbered(number), b"wrap", hashlib.sha256).digest()

    def _numbered(self, number: int) -> bytes:
        if not 1 <= number <= self.newest:
            raise UnknownMasterKey(f"there is no master key number {number}")
        return self.sealing[number - 1]


def key_file() -> Path:
    """Where the master key lives."""
    return Path(settings.LIUKE_HOME) / "secrets" / "master.key"


def _write(path: Path, material: bytes) -> Path:
    """A complete draft beside `path`, on the disk: a half-written key is never seen."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(material)
        stream.flush()
        os.fsync(stream.fileno())
    return draft


def _create(path: Path, material: bytes) -> None:
    draft = _write(path, material)
    try:
        os.link(draft, path)  # the first one wins
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read(material: bytes) -> _Ring:
    """
    Raises:
        ValueError: these bytes are no master key.
    """
    keys = [material[i : i + _KEY_BYTES] for i in range(0, len(material), _KEY_BYTES)]
    if len(material) % _KEY_BYTES or not 2 <= len(keys) <= KEYS_MAX + 1:
        raise ValueError("not a Liuke master key")
    return _Ring(sealing=(keys[0], *keys[2:]), index=keys[1])


@lru_cache(maxsize=4)
def _ring_at(path: Path) -> _Ring:
    if not path.exists():
        _create(path, secrets.token_bytes(_KEY_BYTES * 2))
    try:
        return _read(path.read_bytes())
    except ValueError as refused:
        raise ValueError(f"{path} is not a Liuke master key") from refused


def _ring(number: int = 1) -> _Ring:
    """The keys of this home, read anew when one is asked for that was not there before."""
    ring = _ring_at(key_file())
    if number > ring.newest:
        _ring_at.cache_clear()
        ring = _ring_at(key_file())
    return ring


def seal(text: str, purpose: str) -> bytes:
    """Encrypt `text` for one purpose (for example "people.phone"): number of the key, nonce, ciphertext."""
    ring = _ring()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = ring.box(ring.newest).encrypt(nonce, text.encode(), purpose.encode())
    return bytes([ring.newest]) + nonce + sealed


def unseal(sealed: bytes, purpose: str) -> str:
    """Decrypt what `seal` made for the same purpose.

    Raises:
        cryptography.exceptions.InvalidTag: wrong key, wrong purpose or changed bytes.
        UnknownMasterKey: sealed by a key that is not here.
    """
    body = bytes(sealed)
    return (
        _ring(body[0])
        .box(body[0])
        .decrypt(body[1 : 1 + _NONCE_BYTES], body[1 + _NONCE_BYTES :], purpose.encode())
        .decode()
    )


def new_data_key() -> bytes:
    """A key for many values that come in together."""
    return secrets.token_bytes(_KEY_BYTES)


def wrap_data_key(key: bytes) -> tuple[bytes, int]:
    """The data key as it may be stored, and the number of the master key that opens it."""
    ring = _ring()
    return aes_key_wrap(ring.wrapping(ring.newest), key), ring.newest


def unwrap_data_key(wrapped: bytes, number: int) -> bytes:
    """The data key again.

    Raises:
        cryptography.hazmat.primitives.keywrap.InvalidUnwrap: another key wrapped it, or it was changed.
        UnknownMasterKey: that master key is not here.
    """
    return aes_key_unwrap(_ring(number).wrapping(number), bytes(wrapped))


def newest_master_key() -> int:
    """The number of the sealing key in use."""
    return _ring_at(key_file()).newest


def add_master_key() -> int:
    """Add a sealing key, to be used from now on; its number. Those before it stay: they open what they sealed.

    Raises:
        ValueError: there is no room for another one.
    """
    path = key_file()
    _ring()  # made on first use
    with _alone(path.parent):
        material = path.read_bytes()
        if len(material) // _KEY_BYTES > KEYS_MAX:
            raise ValueError(f"a master key has at most {KEYS_MAX} sealing keys")
        _replace(path, material + secrets.token_bytes(_KEY_BYTES))
        return newest_master_key()


def blind_index(text: str, purpose: str) -> str:
    """A keyed fingerprint (32 hex letters) that finds equal values without telling them."""
    told = f"{purpose}\x00{text}".encode()
    return hmac.new(_ring().index, told, hashlib.sha256).hexdigest()[:32]


def fingerprints(path: Path) -> tuple[str, ...]:
    """Keyed digests that tell one master key from another without telling it: one for each sealing key it got.

    The last is of the key as it is; empty where there is none yet.
    """
    if not path.exists():
        return ()
    ring = _read(path.read_bytes())
    return tuple(
        hmac.new(ring.index, b"fingerprint" + b"".join(later), hashlib.sha256).hexdigest()[:32]
        for later in (ring.sealing[1 : i + 1] for i in range(ring.newest))
    )


def put_back(material: bytes) -> bool:
    """Store an exported master key where there is none, or only an earlier state of it.

    False when another one is there, which stays.

    Raises:
        ValueError: this is no master key.
    """
    _read(material)
    path = key_file()
    if not path.exists():
        _create(path, material)
    with _alone(path.parent):
        known = path.read_bytes()
        if len(material) > len(known) and material.startswith(known):
            _replace(path, material)
            return True
        return known.startswith(material)


def _replace(path: Path, material: bytes) -> None:
    """Put a key that holds all of the old one in its place; on the disk before anything is sealed by it."""
    os.replace(_write(path, material), path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    _ring_at.cache_clear()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time changes the key."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
