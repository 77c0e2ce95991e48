"""The sandbox's keys, and its own way of signing and checking, written apart from the site's.

Two programs that must agree on every byte test each other; one function on both sides would agree with itself.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

BITS = 2048
_SCHEME = (padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True)
class Keys:
    """The gateway's own key, and the public one of the site."""

    own: rsa.RSAPrivateKey
    site: rsa.RSAPublicKey

    @property
    def serial(self) -> str:
        return serial_of(self.own.public_key())

    def sign(self, text: bytes) -> str:
        return base64.b64encode(self.own.sign(text, *_SCHEME)).decode("ascii")

    def is_from_site(self, text: bytes, signature: str, serial: str) -> bool:
        if serial != serial_of(self.site):
            return False
        try:
            self.site.verify(base64.b64decode(signature, validate=True), text, *_SCHEME)
        except (InvalidSignature, ValueError):
            return False
        return True


def serial_of(key: rsa.RSAPublicKey) -> str:
    """The first 16 letters of the SHA-256 of the key."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


def open_keys(folder: Path) -> Keys:
    """The keys in `folder`, made when they are not there: a pair for the gateway, a pair for the site (0600 all)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("gateway", "site"):
        if not (folder / f"{name}.pub").exists():
            _make_pair(folder, name)
    own = load_pem_private_key((folder / "gateway.key").read_bytes(), password=None)
    site = load_pem_public_key((folder / "site.pub").read_bytes())
    if not isinstance(own, rsa.RSAPrivateKey) or not isinstance(site, rsa.RSAPublicKey):
        raise ValueError(f"the keys in {folder} are not RSA keys")
    return Keys(own, site)


def _make_pair(folder: Path, name: str) -> None:
    """The public half last: who finds it finds the other too."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(folder / f"{name}.key", private)
    _write(folder / f"{name}.pub", public)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
