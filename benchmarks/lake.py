"""How long does a night take on the lake of a large shop, and what does one more day cost?

A million members and twenty million orders are drawn and written by the lake's own writer; then the night: facts,
scores, stages, cohorts and forecasts. The yardstick is DuckDB's own aggregate of the same files (last day, count and
sum of each member), run beside it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

DAYS = 730
FIRST_DAY = 19_723  # 2024-01-01
HORIZON_DAYS = 90
SIZES = {"full": (1_000_000, 20_000_000), "short": (10_000, 200_000)}
BARE = """
CREATE OR REPLACE TEMP TABLE bare AS
SELECT member_id, max(day) AS last_day, count(*) AS orders, sum(amount_fen) AS total_fen
FROM read_parquet({files}, hive_partitioning=false) GROUP BY 1
"""


def draw(members: int, orders: int) -> tuple[Any, Any, Any]:
    """Member, day and amount, by day: members come, buy at rates of their own for a while, and stay away."""
    import numpy as np

    chance = np.random.default_rng(1)
    first = chance.integers(0, DAYS - 10, members)
    life = np.minimum(chance.exponential(250, members), DAYS - 1 - first)
    weight = chance.gamma(0.8, 1.0, members) * (life + 1)
    again = chance.multinomial(orders - members, weight / weight.sum())
    who = np.repeat(np.arange(members), again)
    later = first[who] + (chance.random(len(who)) * (life[who] + 1)).astype(np.int64)
    day = np.concatenate([first, later]).astype(np.int32)
    by_day = np.argsort(day, kind="stable")
    member = np.concatenate([np.arange(members), who])[by_day] + 1
    amount = chance.gamma(2.0, 2500.0, orders).astype(np.int64)
    amount[chance.random(orders) < 0.02] *= -1
    return member, day[by_day] + FIRST_DAY, amount


def fill(place: Path, members: int, orders: int) -> None:
    """The lake as it is on the last but one day, and a file of the last day's purchases that is not yet in it."""
    import numpy as np

    from liuke.analytics.lake.layout import Lake, Manifest
    from liuke.analytics.lake.writing import PurchaseArrays, write_purchases

    member, day, amount = draw(members, orders)
    lake, files, at_once = Lake(place), [], 2_000_000
    known = int(np.searchsorted(day, FIRST_DAY + DAYS - 1))
    edges = [*range(0, known, at_once), known, orders]
    for begin, end in pairwise(edges):
        some, ids = slice(begin, end), np.arange(begin, end) + 1
        at = day[some].astype(np.int64) * 86_400_000_000
        files += write_purchases(
            lake,
            PurchaseArrays(
                ids, member[some], day[some], at, amount[some], np.ones(len(ids), np.int64)
            ),
        )
    whole = Manifest(watermark=orders, files=tuple(files))
    before = replace(whole, watermark=known, files=tuple(f for f in files if f.first_id <= known))
    lake.settle(whole)
    (place / "whole.json").write_text((place / "manifest.json").read_text())
    lake.settle(before)


def night(place: Path, day: int) -> dict[str, Any]:
    """One night in this process, with what it told."""
    from liuke.analytics.lake.layout import Lake
    from liuke.analytics.lake.nightly import Night, run_night
    from liuke.science.lifecycle import LifecycleRules

    lake = Lake(place)
    manifest = lake.manifest()
    assert manifest is not None
    url = os.environ.get("LIUKE_ANALYTICS_URL", "")
    return run_night(lake, manifest, Night(day, LifecycleRules(), HORIZON_DAYS), url=url)


def rfm(place: Path) -> dict[str, float]:
    """Seconds of the RFM part straight from the purchases, and of the bare aggregate, the better of three each."""
    from liuke.analytics.lake import expressions as e
    from liuke.analytics.lake.engines import DuckEngine
    from liuke.analytics.lake.layout import Lake

    lake = Lake(place)
    manifest = lake.manifest()
    assert manifest is not None
    paths = lake.paths(manifest.of("purchases"))
    ours, bare = [], []
    for _ in range(3):
        engine = DuckEngine(place / "scratch")
        began = time.perf_counter()
        engine.link.con.execute(BARE.format(files=[str(path) for path in paths]))
        bare.append(time.perf_counter() - began)
        engine.link.con.execute("DROP TABLE bare")
        began = time.perf_counter()
        draft, scored = place / "inputs.parquet", place / "scored.parquet"
        engine.write(e.rfm_inputs(e.counted(engine.read(paths))), draft)
        inputs = engine.read([draft])
        bounds = {measure: engine.rows(e.cuts(inputs, measure))[0] for measure in e.MEASURES}
        engine.write(e.scored(inputs, bounds), scored)
        ours.append(time.perf_counter() - began)
        engine.close()
    return {"rfm_seconds": min(ours), "bare_aggregate_seconds": min(bare)}


def apart(*words: object) -> tuple[dict[str, Any], float, int]:
    """A step in a process of its own: what it told, wall seconds, peak memory in MB. Other work on the machine
    lengthens the seconds and not `cpu_seconds`, those of all its threads."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.lake", *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    told["told"]["cpu_seconds"] = told["cpu_seconds"]
    return told["told"], time.perf_counter() - began, told["peak_mb"]


def run(*, full: bool) -> dict[str, Any]:
    """Fill a lake, run the first night, one more day, and the RFM part beside its yardstick."""
    members, orders = SIZES["full" if full else "short"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "lake"
        _, fill_seconds, _ = apart("--fill", place, members, orders)
        first, seconds, peak = apart("--night", place, FIRST_DAY + DAYS - 2)
        os.replace(place / "whole.json", place / "manifest.json")
        more, more_seconds, more_peak = apart("--night", place, FIRST_DAY + DAYS - 1)
        parts, _, _ = apart("--rfm", place)
    ratio = parts["rfm_seconds"] / parts["bare_aggregate_seconds"]
    return {
        "members": members,
        "orders": orders,
        "fill_seconds": round(fill_seconds, 1),
        "night_seconds": round(seconds, 1),
        "night_cpu_seconds": first["cpu_seconds"],
        "night_peak_mb": peak,
        "night_bytes_read": first["bytes_read"],
        "one_more_day": more["how"],
        "one_more_day_seconds": round(more_seconds, 1),
        "one_more_day_cpu_seconds": more["cpu_seconds"],
        "one_more_day_peak_mb": more_peak,
        "one_more_day_bytes_read": more["bytes_read"],
        "rfm_seconds": round(parts["rfm_seconds"], 2),
        "bare_aggregate_seconds": round(parts["bare_aggregate_seconds"], 2),
        "rfm_times_the_yardstick": round(ratio, 2),
        "night_times_the_yardstick": round(seconds / parts["bare_aggregate_seconds"], 1),
        "combinations": first["outlook"]["cells"],
        "load": round(os.getloadavg()[0], 1),
    }


def main(words: list[str]) -> dict[str, Any]:
    """A step, or all of them."""
    if words[:1] == ["--fill"]:
        fill(Path(words[1]), int(words[2]), int(words[3]))
        told: dict[str, Any] = {}
    elif words[:1] == ["--night"]:
        told = night(Path(words[1]), int(words[2]))
    elif words[:1] == ["--rfm"]:
        told = rfm(Path(words[1]))
    else:
        return run(full="--full" in words)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = round(used.ru_utime + used.ru_stime, 1)
    return {"told": told, "peak_mb": used.ru_maxrss // 1024, "cpu_seconds": cpu}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=2))
