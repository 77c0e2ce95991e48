"""`liuke science uplift` on plain tables: keys and columns as promised, one sentence where it cannot be done."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks.uplift import mailing
from liuke.interfaces.cli.science import science


def uplift(
    file: Path, *words: object, treatment: str = "segment", outcome: str = "visit"
) -> Result:
    asked = ["uplift", file, "--treatment", treatment, "--outcome", outcome, *words]
    return CliRunner().invoke(science, [str(word) for word in asked])


def told(file: Path, *words: object, **columns: str) -> dict[str, Any]:
    result = uplift(file, *words, "--json", **columns)
    assert result.exit_code == 0, result.output + repr(result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(file: Path, *words: object, **columns: str) -> str:
    result = uplift(file, *words, "--json", **columns)
    assert result.exit_code == 1, result.output + repr(result.exception)
    assert result.stdout == ""
    return result.stderr.strip()


def table(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def women(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Like a known e-mail test: numbers, text, an id, and outcomes beside the outcome."""
    world = mailing(np.random.default_rng(1), 2_000, effect=0.1)
    names = [column.name for column in world.columns]
    columns = [each.labels or np.asarray(each.numbers).tolist() for each in world.columns]
    columns += [
        ["Womens E-Mail" if one else "No E-Mail" for one in world.treated],
        world.visit.astype(int).tolist(),
        (world.spend > 0).astype(int).tolist(),
        world.spend.tolist(),
        [f"m{place}" for place in range(2_000)],
    ]
    path = tmp_path_factory.mktemp("uplift") / "women.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*names, "segment", "visit", "conversion", "spend", "uid"])
        writer.writerows(zip(*columns, strict=True))
    return path


def test_a_campaign_is_told_with_its_keys_and_predictions(women: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    found = told(women, "--predictions", out)
    assert (found["n"], found["control_value"]) == (2_000, "No E-Mail")
    assert found["treated"] + found["control"] == 2_000
    assert found["interval"][0] < 0.1 < found["interval"][1]
    assert found["interval"][0] < found["effect"] < found["interval"][1]
    assert found["advice"] in ("send_to_all", "target")
    assert all(type(found[key]) is float for key in ("qini", "qini_null_975", "variance_cut"))
    assert found["sample_ratio_p"] > 0.001
    assert found["learner"] in found["learners"]
    with out.open(encoding="utf-8") as stream:
        lines = list(csv.reader(stream))
    assert lines[0] == ["row", "uplift"]
    assert [line[0] for line in lines[1:]] == [str(row) for row in range(1, 2_001)]
    mean = np.mean([float(line[1]) for line in lines[1:]])
    assert mean == pytest.approx(found["effect"])


def test_ids_and_what_gives_the_outcome_away_are_left_out_and_told(women: Path) -> None:
    result = uplift(women, "--ignore", "history", "--ignore", "2", "--json")
    found = json.loads(result.stdout)
    assert found["left_out"] == {
        "conversion": "follows_the_outcome",
        "spend": "follows_the_outcome",
        "uid": "id_like",
    }
    assert found["features"] == ["recency", "mens", "womens", "zip_code", "newbie", "channel"]
    assert "spend is left out: it gives the outcome away" in result.stderr


def test_flags_of_an_order_log_are_taken_and_change_nothing(tmp_path: Path) -> None:
    rows = [f"u{place},{place % 2},{place % 3 == 0:d}" for place in range(60)]
    path = table(tmp_path / "few.csv", "who,t,y", rows)
    flags = ("--member", "who", "--decimal", ".", "--timezone", "Asia/Shanghai", "--yes")
    plain = told(path, treatment="t", outcome="y")
    assert told(path, *flags, treatment="2", outcome="3") == plain | {"left_out": {}, "notes": []}


def test_two_columns_are_enough(tmp_path: Path) -> None:
    rows = [f"{arm},{yes}" for arm in ("control", "treated") for yes in ["no"] * 30 + ["yes"] * 10]
    found = told(
        table(tmp_path / "two.csv", "t,y", [*rows, "treated,yes"]), treatment="t", outcome="y"
    )
    assert found["effect"] == pytest.approx(11 / 41 - 10 / 40)
    assert (found["qini"], found["learner"], found["advice"]) == (None, None, "not_enough_data")


def test_figures_with_a_comma_rows_without_an_outcome_and_crooked_rows(tmp_path: Path) -> None:
    rows = ["对照;1,5;a", "发送;2,5;b", "对照;;a", "发送;3,5;b", "对照;0,5;a;x;y", "对照;0,5;a"]
    path = table(tmp_path / "t.csv", "组;金额;x", rows)
    out = tmp_path / "out.csv"
    found = told(path, "--decimal", ",", "--predictions", out, treatment="组", outcome="金额")
    assert found["effect"] == pytest.approx(2.0)
    assert (found["n"], found["control_value"], len(found["notes"])) == (4, "对照", 2)
    assert [line.split(",")[0] for line in out.read_text().split()] == ["row", "1", "2", "4", "6"]


def test_parquet_is_read_too(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "t.parquet"
    duckdb.sql(
        "SELECT i % 2 = 0 AS t, (i % 5)::DOUBLE AS y, i % 7 AS x FROM range(70) AS r(i)"
    ).write_parquet(str(path))
    found = told(path, treatment="t", outcome="y")
    assert (found["n"], found["control_value"], found["features"]) == (70, "false", ["x"])


def test_a_risk_column_is_judged(tmp_path: Path) -> None:
    rows = [f"{place % 2},{place % 3 % 2},{place % 11}" for place in range(150)]
    path = table(tmp_path / "t.csv", "t,y,months", rows)
    found = uplift(path, "--risk", "months", treatment="t", outcome="y")
    assert found.exit_code == 0
    assert "Choosing by the risk given is no better than random" in found.stdout


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            ["a,1", "b,0", "a,0", "b,1"],
            "Whether “a” or “b” of column “t” is the control cannot be told",
        ),
        (["a,1", "b,0", "c,0", "b,1"], "Column “t” has 3 values (a, b, c): keep the rows of two"),
        (["1,1", "1,0", "1,0", "1,1"], "Column “t” says “1” for everybody"),
        (["1,1", "0,1", "1,1", "0,1"], "the outcome is the same for all"),
        (["1,1", "0,1", "0,1", "0,1"], "each group needs at least two members"),
        (["1,1", "0,much", "1,1", "0,1"], "must be a number or yes and no, not “much”"),
    ],
)
def test_a_table_that_is_no_campaign_is_refused_in_one_sentence(
    tmp_path: Path, rows: list[str], says: str
) -> None:
    said = refused(table(tmp_path / "t.csv", "t,y", rows), treatment="t", outcome="y")
    assert says in said
    assert said.startswith("Error: ")
    assert "\n" not in said


def test_the_control_can_be_named(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "t,y", ["a,1", "b,0", "a,2", "b,1"])
    assert told(path, "--control", "A", treatment="t", outcome="y")["effect"] == -1.0
    assert "has no value “z”" in refused(path, "--control", "z", treatment="t", outcome="y")


def test_columns_that_are_not_there_or_the_same_and_missing_files_are_refused(
    tmp_path: Path,
) -> None:
    path = table(tmp_path / "t.csv", "t,y", ["0,1", "1,0"])
    assert "has no column “z”" in refused(path, treatment="t", outcome="z")
    assert "same column" in refused(path, treatment="t", outcome="1")
    assert "There is no file" in refused(tmp_path / "none.csv", treatment="t", outcome="y")
