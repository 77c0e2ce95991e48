"""Does Spark count what DuckDB counts, to the last digit?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from liuke.analytics.lake import expressions as e
from liuke.analytics.lake.engines import Engine, connect
from liuke.analytics.lake.layout import Lake
from liuke.analytics.lake.nightly import Night, run_night
from tests.analytics.lake import make
from tests.analytics.lake.test_nightly import RULES, a_log

SPARK = "spark:local[2]"
pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore"),  # pyspark 4.0 knows neither the newest pandas nor Java
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """400 members with 1,600 purchases, in two batches with late orders in the second."""
    lake = make.lake(tmp_path_factory.mktemp("duck"))
    log = sorted(a_log(7, members=400)[:1_500], key=lambda row: row[1])
    make.add(lake, log)
    return lake


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    both = [connect(url, tmp_path_factory.mktemp("scratch")) for url in ("duckdb:", SPARK)]
    yield both
    for engine in both:
        engine.close()


def told(engine: Engine, expression: Any, folder: Path) -> list[tuple[Any, ...]]:
    """Rows as they come to lie in a file, and their types with it."""
    path = folder / f"{type(engine).__name__}.parquet"
    engine.write(expression, path)
    scan = f"read_parquet('{path}')"
    types = duckdb.sql(f"DESCRIBE SELECT * FROM {scan}").fetchall()
    rows = duckdb.sql(f"SELECT * FROM {scan} ORDER BY ALL").fetchall()
    return [*((row[0], row[1]) for row in types), *rows]


@pytest.mark.parametrize(
    "name", ["facts", "rfm", "standings", "cohorts", "continued", "late", "cells"]
)
def test_every_expression_is_equal(
    name: str, lake: Lake, engines: list[Engine], tmp_path: Path
) -> None:
    manifest = lake.manifest()
    assert manifest is not None
    paths = lake.paths(manifest.of("purchases"))
    found = []
    for engine in engines:
        rows = e.counted(engine.read(paths))
        early = rows.filter(e.day_of(rows.on) <= make.DAY_ZERO + 90)
        later = rows.filter(e.day_of(rows.on) >= make.DAY_ZERO + 60)
        facts, carried = e.facts_of(rows, RULES), e.facts_of(early, RULES)
        after = e.facts_of(later, RULES, carried)
        cells = e.added((e.cohort_cells(rows, facts), 1), (e.cohort_cells(early, carried), -1))
        expression = {
            "facts": facts,
            "rfm": _scored(engine, e.rfm_inputs(rows)),
            "standings": e.standings(facts, RULES, make.DAY_ZERO + 700),
            "cohorts": e.cohort_cells(rows, facts),
            "continued": after,
            "late": e.belated_members(later, carried),
            "cells": cells.union(e.new_cohort_cells(later, carried, after)),
        }[name]
        found.append(told(engine, expression, tmp_path))
    assert len(found[0]) > 5
    assert found[0] == found[1]


def _scored(engine: Engine, inputs: Any) -> Any:
    return e.scored(inputs, {m: engine.rows(e.cuts(inputs, m))[0] for m in e.MEASURES})


def test_nights_are_equal_also_when_one_engine_goes_on_where_the_other_stopped(
    lake: Lake, tmp_path: Path
) -> None:
    places = [Lake(tmp_path / name) for name in ("duck", "spark", "both")]
    for place in places:
        shutil.copytree(lake.place, place.place)
    seen = []
    for place, urls in zip(places, [("", ""), (SPARK, SPARK), (SPARK, "")], strict=True):
        nights = []
        for as_of, url in zip((900, 960), urls, strict=True):
            manifest = place.manifest()
            assert manifest is not None
            done = run_night(place, manifest, Night(make.DAY_ZERO + as_of, RULES), url=url)
            nights.append([done["how"], done["belated_members"], done["rfm_cuts"],
                           *(make.table(place, done, part) for part in ("facts", "cohorts", "members"))])  # fmt: skip
            make.add(place, a_log(7, members=400)[1_500:])
        seen.append(nights)
    assert seen[0][1][0] == "increment"
    assert seen[0][1][1] > 0
    assert seen[0] == seen[1] == seen[2]
