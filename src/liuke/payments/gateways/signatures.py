"""RSA signatures as payment gateways use them: SHA-256, PKCS #1 v1.5 (their protocols ask for it), base64."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def sign(key: rsa.RSAPrivateKey, text: bytes) -> str:
    """The signature of `text`, as a header carries it."""
    return base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")


def is_signed(key: rsa.RSAPublicKey, text: bytes, signature: str) -> bool:
    """Whether `signature` is that of `text`, exactly as written."""
    try:
        raw = base64.b64decode(signature.encode("ascii"), validate=True)
        key.verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, UnicodeEncodeError):
        return False
    return base64.b64encode(raw).decode("ascii") == signature


def read_private(pem: bytes) -> rsa.RSAPrivateKey:
    """A private key; ValueError when it is none of RSA."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


def read_public(pem: bytes) -> rsa.RSAPublicKey:
    """A public key; ValueError when it is none of RSA."""
    key = serialization.load_pem_public_key(pem)
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def serial_of(key: rsa.RSAPublicKey) -> str:
    """A name for the key, so that two can be in use while one replaces the other."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()[:16]
