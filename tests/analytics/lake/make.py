"""Small lakes, made by the lake's own writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from liuke.analytics.lake.layout import Lake, Manifest
from liuke.analytics.lake.writing import PurchaseArrays, write_purchases

DAY_ZERO = 20_000  # 2024-10-04
Row = tuple[int, int, int]
"""Member, day after DAY_ZERO, minor units."""


def arrays(rows: Sequence[Row], first_id: int) -> PurchaseArrays:
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    ids = np.arange(first_id, first_id + len(table))
    day = table[:, 1] + DAY_ZERO
    return PurchaseArrays(
        purchase_id=ids,
        member_id=table[:, 0],
        day=day.astype(np.int32),
        at=day * 86_400_000_000 + 3_600_000_000 * 10,
        amount_fen=table[:, 2],
        quantity=np.ones(len(table), dtype=np.int64),
    )


def add(lake: Lake, rows: Sequence[Row]) -> Manifest:
    """Purchases behind those that are in the lake."""
    before = lake.manifest() or Manifest()
    if rows:
        files = write_purchases(lake, arrays(rows, before.watermark + 1))
        before = replace(
            before, watermark=before.watermark + len(rows), files=(*before.files, *files)
        )
    lake.settle(before)
    return before


def table(lake: Lake, told: dict[str, Any], part: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """Rows of a part of a night, in order."""
    names = [str(lake.place / name) for name in told[part]]
    if not names:
        return []
    return duckdb.sql(f"SELECT {columns} FROM read_parquet({names}) ORDER BY ALL").fetchall()


def lake(folder: Path, key: str = "main") -> Lake:
    return Lake.of(folder, key)
