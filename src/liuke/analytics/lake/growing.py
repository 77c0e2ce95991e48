"""New purchases into the lake, erased members out of it: the manifest says all of it or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from liuke.analytics.lake.engines import DuckEngine
from liuke.analytics.lake.layout import Lake, Manifest
from liuke.analytics.lake.writing import (
    PurchaseArrays,
    tidied,
    without_members,
    write_lines,
    write_purchases,
)


@dataclass(frozen=True, slots=True, eq=False)
class Increment:
    """What came: every purchase up to `watermark` that the lake has not, and their lines as CSV files.

    `digest` is that of the purchase with the id `watermark`; `erased` are all members whose rows must go.
    """

    purchases: Iterable[PurchaseArrays]
    lines: Iterable[Path]
    watermark: int
    digest: int
    erased: Collection[int]


def grow(lake: Lake, before: Manifest, came: Increment) -> Manifest:
    """Write what came and take out who was erased; the manifest that holds from now on.

    Whoever calls holds the lake and has swept it. Raises LakeNotWritten, LakeDamaged: the manifest is as before.
    """
    lake.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = DuckEngine(lake.scratch)
    try:
        files = tidied(lake, engine, before.files)
        gone = sorted(set(came.erased) - set(before.erased))
        left = without_members(lake, engine, files, gone) if gone else files
        new = [file for rows in came.purchases for file in write_purchases(lake, rows)]
        new += [file for text in came.lines for file in write_lines(lake, engine, text)]
        new = tidied(lake, engine, new)
    finally:
        engine.close()
        shutil.rmtree(lake.scratch, ignore_errors=True)
    after = replace(
        before,
        watermark=came.watermark,
        last_digest=came.digest,
        generation=before.generation + (left != files),
        erased=tuple(sorted({*before.erased, *gone})),
        files=tuple(sorted([*left, *new], key=lambda file: file.path)),
    )
    lake.settle(after)
    return after
