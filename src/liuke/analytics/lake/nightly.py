"""From the lake to what is known of every member at the end of a day: files in, Parquet out.

One more day continues the facts of the day before: only files with later purchases are read. What cannot be continued
is recounted, and the result says what and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ibis import _

from liuke.analytics.lake import expressions as e
from liuke.analytics.lake.engines import DuckEngine, Engine, connect
from liuke.analytics.lake.errors import NothingInTheLake
from liuke.analytics.lake.expressions import Table
from liuke.analytics.lake.layout import Json, Lake, LakeFile, Manifest
from liuke.analytics.lake.outlook import write_members
from liuke.science.lifecycle import LifecycleRules

BELATED_MEMBERS_MAX = 2_000
"""More members than these with orders before their last known one, and everything is recounted."""


@dataclass(frozen=True, slots=True)
class Night:
    """What is asked for: the end of a day, under these rules, with forecasts so far ahead."""

    as_of_day: int
    rules: LifecycleRules
    horizon_days: int = 90
    recount: bool = False


@dataclass(slots=True)
class _Work:
    """One night under way: what was read is written down as it is read."""

    lake: Lake
    manifest: Manifest
    engine: Engine
    night: Night
    before: Json
    run: int
    read: dict[str, int]

    def purchases(self, files: Sequence[LakeFile], **ids: Any) -> Table:
        """Rows of purchase files, as the expressions read them."""
        self.read.update({file.path: file.bytes for file in files})
        return e.counted(self.engine.read(self.lake.paths(list(files))), **ids)

    def carried(self, part: str) -> Table:
        """A part of what the night before left."""
        paths = [self.lake.place / name for name in self.before[part]]
        self.read.update({str(path): path.stat().st_size for path in paths})
        return self.engine.read(paths)

    def write(self, part: str, expression: Table, number: int = 0) -> Path:
        """A part of what this night leaves."""
        path = self.lake.place / part / f"{self.run}-{number}.parquet"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self.engine.write(expression, path)
        return path

    def due(self, purchases: Table) -> Table:
        return purchases.filter(e.day_of(_.on) <= self.night.as_of_day)


def run_night(lake: Lake, manifest: Manifest, night: Night, *, url: str = "") -> Json:
    """Facts, cohorts and the table of members at the end of a day; what `nightly.json` says from now on.

    Raises:
        NothingInTheLake: no order up to that day.
        LakeDamaged, LakeNotWritten, UnknownEngine, NoSpark: what they say; the night before stays in force.
    """
    if not manifest.of("purchases"):
        raise NothingInTheLake(place=lake.place)
    before = lake.nightly() or {}
    engine = connect(url, lake.scratch)
    work = _Work(lake, manifest, engine, night, before, before.get("run", 0) + 1, {})
    try:
        why = _why_recount(work)
        told = _recounted(work, why) if why else _continued(work)
        told |= _written(work, [lake.place / name for name in told["facts"]])
    finally:
        engine.close()
    told |= {
        "run": work.run,
        "as_of_day": night.as_of_day,
        "watermark": manifest.watermark,
        "generation": manifest.generation,
        "rules": asdict(night.rules),
        "files_read": len(work.read),
        "bytes_read": sum(work.read.values()),
    }
    lake.tell_nightly(told)
    return told


def _why_recount(work: _Work) -> str:
    """Why the night before cannot be continued; empty when it can."""
    before, night = work.before, work.night
    if night.recount or not before:
        return "asked for" if night.recount else "first night"
    if before["generation"] != work.manifest.generation:
        return "rows were taken out of the lake"
    if before["rules"] != asdict(night.rules):
        return "other rules"
    if before["as_of_day"] > night.as_of_day:
        return "an earlier day"
    return ""


def _recounted(work: _Work, why: str) -> Json:
    """Everything from the purchases, some members at a time so that memory is bounded."""
    files = work.manifest.of("purchases")
    everyone = work.due(work.purchases(files))
    at_once = work.engine.rows_at_once
    parts = -(-work.manifest.purchases // at_once) if at_once else 1
    facts = [
        work.write("facts", e.facts_of(_part(everyone, k, parts), work.night.rules), k)
        for k in range(parts)
    ]
    cells = e.cohort_cells(everyone, work.engine.read(facts))
    month = _month(work.night.as_of_day)
    return {
        "how": "recount",
        "why": why,
        "belated_members": 0,
        "facts": _names(work, facts),
        "cohorts": _names(work, [work.write("cohorts", cells)]),
        "ahead": _ahead(work, [file for file in files if file.month >= month], None),
    }


def _part(purchases: Table, k: int, parts: int) -> Table:
    return purchases if parts == 1 else purchases.filter(_.member_id % parts == k)


def _continued(work: _Work) -> Json:
    """The night before, and the purchases since."""
    since = work.before["watermark"]
    files = [file for file in work.manifest.of("purchases") if file.last_id > since]
    later = work.purchases(files, after_id=since) if files else None
    if work.before["ahead"]:
        ahead = work.carried("ahead")
        later = ahead if later is None else later.union(ahead.select(*later.columns))
    if later is None:
        same = {part: work.before[part] for part in ("facts", "cohorts", "ahead")}
        return {"how": "increment", "why": "", "belated_members": 0, **same}
    carried, due = work.carried("facts"), work.due(later)
    belated = sorted(
        row[0]
        for row in work.engine.rows(e.belated_members(due, carried).limit(BELATED_MEMBERS_MAX + 1))
    )
    if len(belated) > BELATED_MEMBERS_MAX:
        return _recounted(work, f"more than {BELATED_MEMBERS_MAX} members have belated orders")
    return {
        "how": "increment",
        "why": "",
        "belated_members": len(belated),
        **_continued_files(work, due, carried, belated),
        "ahead": _ahead(work, files, since),
    }


def _continued_files(work: _Work, due: Table, carried: Table, belated: list[int]) -> Json:
    """New facts and cohorts. Members with belated orders are recounted from all their purchases, and no others."""
    on_time = due.filter(~_.member_id.isin(belated)) if belated else due
    kept = carried.filter(~_.member_id.isin(belated)) if belated else carried
    touched = on_time.select("member_id").distinct()
    facts = e.facts_of(on_time, work.night.rules, kept.semi_join(touched, "member_id"))
    facts = facts.union(kept.anti_join(touched, "member_id").select(*e.FACTS))
    if belated:
        theirs = work.purchases(work.manifest.of("purchases")).filter(_.member_id.isin(belated))
        facts = facts.union(e.facts_of(work.due(theirs), work.night.rules))
    path = work.write("facts", facts)
    after = work.engine.read([path])
    cells = [(work.carried("cohorts"), 1), (e.new_cohort_cells(on_time, kept, after), 1)]
    if belated:
        cells.append((e.cohort_cells(work.due(theirs), after), 1))
        cells.append((e.cohort_cells(_known_then(work, belated), carried), -1))
    return {
        "facts": _names(work, [path]),
        "cohorts": _names(work, [work.write("cohorts", e.added(*cells))]),
    }


def _known_then(work: _Work, belated: list[int]) -> Table:
    """What the night before had counted of these members."""
    since, day = work.before["watermark"], work.before["as_of_day"]
    files = [file for file in work.manifest.of("purchases") if file.first_id <= since]
    known = work.purchases(files, up_to_id=since)
    return known.filter(_.member_id.isin(belated) & (e.day_of(_.on) <= day))


def _ahead(work: _Work, files: list[LakeFile], since: int | None) -> list[str]:
    """Purchases of later days, which count when their day comes: what lies in these files or was ahead already."""
    parts = [work.purchases(files, after_id=since or 0)] if files else []
    if since is not None and work.before["ahead"]:
        parts.append(work.carried("ahead").select("member_id", "amount_fen", "on"))
    if not parts:
        return []
    rows = parts[0] if len(parts) == 1 else parts[0].union(parts[1])
    rows = rows.filter(e.day_of(_.on) > work.night.as_of_day)
    ((some,),) = work.engine.rows(rows.agg(rows=_.count()))
    return _names(work, [work.write("ahead", rows)]) if some else []


def _written(work: _Work, facts: list[Path]) -> Json:
    """The table of members: facts, scores, stage and forecasts."""
    known = work.engine.read(facts)
    inputs = e.rfm_inputs_of(known)
    bounds = {m: work.engine.rows(e.cuts(inputs, m))[0] for m in e.MEASURES}
    if bounds["orders"][0] is None:
        raise NothingInTheLake(place=work.lake.place)
    standing = e.standings(known, work.night.rules, work.night.as_of_day)
    draft = work.lake.scratch / f"standings-{work.run}.parquet"
    draft.parent.mkdir(mode=0o700, exist_ok=True)
    work.engine.write(e.scored(standing, bounds), draft)
    path = work.lake.place / "members" / f"{work.run}-0.parquet"
    local = work.engine if isinstance(work.engine, DuckEngine) else DuckEngine(work.lake.scratch)
    outlook = write_members(local, draft, path, work.night.horizon_days)
    draft.unlink()
    return {"members": _names(work, [path]), "rfm_cuts": bounds, "outlook": asdict(outlook)}


def _names(work: _Work, paths: list[Path]) -> list[str]:
    return [path.relative_to(work.lake.place).as_posix() for path in paths]


def _month(day: int) -> str:
    return str(np.datetime64(day, "D").astype("datetime64[M]"))
