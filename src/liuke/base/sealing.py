"""How is a phone number kept so that a stolen database does not tell it?

AES-256-GCM under a master key in `$LIUKE_HOME/secrets/` (0600, never in a backup), bound to what the value is for;
equality is asked through an HMAC-SHA-256 blind index under a second key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


def key_file() -> Path:
    """Where the master key lives."""
    return Path(settings.LIUKE_HOME) / "secrets" / "master.key"


def _create(path: Path, material: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(material)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(draft, path)  # the first one wins; a half-written key is never seen
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@lru_cache(maxsize=4)
def _keys(path: Path) -> tuple[AESGCM, bytes]:
    if not path.exists():
        _create(path, secrets.token_bytes(_KEY_BYTES * 2))
    material = path.read_bytes()
    if len(material) != _KEY_BYTES * 2:
        raise ValueError(f"{path} is not a Liuke master key")
    return AESGCM(material[:_KEY_BYTES]), material[_KEY_BYTES:]


def seal(text: str, purpose: str) -> bytes:
    """Encrypt `text` for one purpose (for example "people.phone"): version, nonce, ciphertext."""
    box, _ = _keys(key_file())
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + box.encrypt(nonce, text.encode(), purpose.encode())


def unseal(sealed: bytes, purpose: str) -> str:
    """Decrypt what `seal` made for the same purpose.

    Raises:
        cryptography.exceptions.InvalidTag: wrong key, wrong purpose or changed bytes.
    """
    box, _ = _keys(key_file())
    body = bytes(sealed)
    return box.decrypt(
        body[1 : 1 + _NONCE_BYTES], body[1 + _NONCE_BYTES :], purpose.encode()
    ).decode()


def blind_index(text: str, purpose: str) -> str:
    """A keyed fingerprint (32 hex letters) that finds equal values without telling them."""
    _, key = _keys(key_file())
    return hmac.new(key, f"{purpose}\x00{text}".encode(), hashlib.sha256).hexdigest()[:32]


def fingerprint(path: Path) -> str | None:
    """A keyed digest that tells one master key from another without telling it; None where there is none yet."""
    if not path.exists():
        return None
    _, key = _keys(path)
    return hmac.new(key, b"fingerprint", hashlib.sha256).hexdigest()[:32]


def put_back(material: bytes) -> bool:
    """Store an exported master key where there is none; False when another one is there, which stays.

    Raises:
        ValueError: this is no master key.
    """
    if len(material) != _KEY_BYTES * 2:
        raise ValueError(f"a master key has {_KEY_BYTES * 2} bytes, not {len(material)}")
    path = key_file()
    if not path.exists():
        _create(path, material)
    return path.read_bytes() == material
