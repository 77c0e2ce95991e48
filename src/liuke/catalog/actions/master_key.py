"""Change the master key under which the data keys of card keys are wrapped."""

from __future__ import annotations

from django.db import transaction

from liuke.base import sealing
from liuke.catalog.models import KeyBatch

BATCHES_AT_ONCE = 500


def rotate_master_key() -> tuple[int, int]:
    """Add a master key and wrap every data key under it; (its number, how many data keys were wrapped anew).

    Card keys themselves are not touched. Broken off anywhere, everything stays readable, since old keys are kept; begun
    anew, it wraps what is left.
    """
    number = sealing.add_master_key()
    return number, wrap_anew()


def wrap_anew() -> int:
    """Wrap every data key that an older master key holds under the newest; how many."""
    done = 0
    while count := _wrap_some():
        done += count
    return done


@transaction.atomic
def _wrap_some() -> int:
    old = KeyBatch.objects.filter(master_version__lt=sealing.newest_master_key())
    held = list(old.select_for_update(no_key=True).order_by("id")[:BATCHES_AT_ONCE])
    for batch in held:
        data_key = sealing.unwrap_data_key(bytes(batch.wrapped_key), batch.master_version)
        batch.wrapped_key, batch.master_version = sealing.wrap_data_key(data_key)
    KeyBatch.objects.bulk_update(held, ["wrapped_key", "master_version"])
    return len(held)
