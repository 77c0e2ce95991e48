"""`liuke science churn`: its keys, its predictions, and what it says when there is too little."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from liuke.interfaces.cli.science.churn import churn

SAMPLE = Path(__file__).parents[1] / "samples/cdnow_sample.txt"
CDNOW = (SAMPLE, "--member", "1", "--at", "3", "--amount", "5")


def run(*words: object) -> Result:
    return CliRunner().invoke(churn, [str(word) for word in words])


def test_the_outcome_scores_the_predictions_that_were_written(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = run(*CDNOW, "--as-of", "1998-03-31", "--horizon", 90, "--json", "--predictions", out)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["as_of"], told["horizon"], told["n"]) == ("1998-03-31", 90, 2357)
    assert (told["evaluated_on"], told["enough"]) == ("outcome", True)
    assert 0.8 < told["auc"] < 0.9
    assert 0.9 < told["average_precision"] < 1
    assert 0.07 < told["brier"] < 0.1
    assert 0 <= told["ece"] < 0.04
    assert sum(one["members"] for one in told["reliability"]) == 2357
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["member"] for row in rows}) == len(rows) == 2357
    assert list(rows[0]) == ["member", "probability"]
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)
    assert brier_of(rows) == pytest.approx(told["brier"], abs=1e-6)


def brier_of(rows: list[dict[str, str]]) -> float:
    """Counted again from the file."""
    lines = [line.split() for line in SAMPLE.read_text().splitlines()]
    came = {line[0] for line in lines if "19980331" < line[2] <= "19980629"}
    errors = [(float(row["probability"]) - (row["member"] not in came)) ** 2 for row in rows]
    return sum(errors) / len(errors)


def test_without_the_outcome_the_figures_are_the_rehearsals() -> None:
    told = json.loads(run(*CDNOW, "--as-of", "1998-06-30", "--horizon", 90, "--json").stdout)
    assert told["evaluated_on"] == "backtest"
    assert told["backtest_as_of"] == "1998-04-01"
    assert told["auc"] > 0.8


def test_too_little_is_said_and_still_answered(tmp_path: Path) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "out.csv"
    log.write_text("member,date,amount\na,2026-01-05,10\nb,2026-01-06,12\nb,2026-01-20,12\n")
    words = (log, "--horizon", 30, "--predictions", out)
    told = json.loads(run(*words, "--json").stdout)
    assert (told["n"], told["enough"], told["evaluated_on"]) == (2, False, None)
    assert [told[name] for name in ("auc", "average_precision", "brier", "ece")] == [None] * 4
    assert told["notes"][0].startswith("Not enough data")
    assert [line.split(",")[0] for line in out.read_text().splitlines()] == ["member", "a", "b"]
    assert "Not enough data" in run(*words, "--yes").stdout


def test_a_day_before_the_first_order_is_nobody(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("member,date,amount\na,2026-01-05,10\n")
    told = json.loads(run(log, "--horizon", 30, "--as-of", dt.date(2025, 1, 1), "--json").stdout)
    assert (told["n"], told["enough"]) == (0, False)


def test_a_file_that_is_no_log_is_one_sentence(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("nothing\n")
    result = run(log, "--horizon", 30, "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
