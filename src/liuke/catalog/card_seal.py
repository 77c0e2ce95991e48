"""How is a card key sealed so that it opens in its own row only?

AES-256-GCM under its batch's data key; the data bound to it names the merchant, the variant, the row and the batch,
so that a row copied over another does not open. The data key is wrapped by the master key.
"""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from liuke.base import sealing
from liuke.base.secret_text import SecretText
from liuke.catalog.models import CardKey
from liuke.catalog.rules import normal_key

_NONCE_BYTES = 12
_PLATFORM = "catalog.card"


def seal_key(box: AESGCM, text: str, place: bytes) -> bytes:
    """The key as it is stored in the row that `place` names."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + box.encrypt(nonce, text.encode(), place)


def open_key(key: CardKey) -> SecretText:
    """The key in plain. Whoever calls this has written down who looks.

    Raises:
        cryptography.exceptions.InvalidTag: the row, or what it belongs to, is not what was sealed.
        cryptography.hazmat.primitives.keywrap.InvalidUnwrap: the batch's data key was changed.
        UnknownMasterKey: the master key of the batch is not in this home.
    """
    batch = key.batch
    box = AESGCM(sealing.unwrap_data_key(bytes(batch.wrapped_key), batch.master_version))
    sealed = bytes(key.sealed)
    place = place_of(key.merchant_id, key.variant_id, key.pk, key.batch_id)
    return SecretText(box.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place).decode())


def place_of(merchant_id: int, variant_id: int, key_id: int, batch_id: int) -> bytes:
    """What a sealed key is bound to."""
    return f"card|v1|{merchant_id}|{variant_id}|{key_id}|{batch_id}".encode()


def merchant_index(text: str, merchant_id: int) -> bytes:
    """What finds the same key at the same merchant; 16 bytes."""
    return _index(text, f"{_PLATFORM}|{merchant_id}")


def platform_index(text: str) -> bytes:
    """What finds the same key at any merchant; 16 bytes."""
    return _index(text, _PLATFORM)


def _index(text: str, purpose: str) -> bytes:
    return bytes.fromhex(sealing.blind_index(normal_key(text), purpose))
