"""`liuke science fit`: figures of the papers from a plain file, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from liuke.interfaces.cli.science.fit import fit

SAMPLE = Path(__file__).parents[1] / "samples/cdnow_sample.txt"
CDNOW = (SAMPLE, "--member", "1", "--at", "3", "--amount", "5", "--as-of", "1997-09-30")
KEYS = [
    "model",
    "params",
    "standard_errors",
    "log_likelihood",
    "seconds",
    "members",
    "converged",
    "as_of",
]


def run(*words: object) -> Result:
    return CliRunner().invoke(fit, [str(word) for word in words])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("model", "params", "log_likelihood", "members"),
    [
        ("bgnbd", {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, -9582.43, 2357),
        ("paretonbd", {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}, -9594.98, 2357),
        ("gg", {"p": 6.25, "q": 3.744, "v": 15.443}, -4055.92, 946),
    ],
)
def test_the_json_holds_the_figures_of_the_papers(
    model: str, params: dict[str, float], log_likelihood: float, members: int
) -> None:
    result = run(*CDNOW, "--model", model, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert list(told) == KEYS
    assert {name: round(value, 3) for name, value in told["params"].items()} == params
    assert set(told["standard_errors"]) == set(params)
    assert told["log_likelihood"] == pytest.approx(log_likelihood, abs=0.01)
    assert (told["members"], told["converged"], told["as_of"]) == (members, True, "1997-09-30")
    assert told["seconds"] > 0


def test_predictions_hold_every_member_their_orders_and_what_these_bring(tmp_path: Path) -> None:
    out, same = tmp_path / "bgnbd.csv", tmp_path / "gg.csv"
    assert run(*CDNOW, "--horizon", "273", "--predictions", out).exit_code == 0
    assert run(*CDNOW, "--model", "gg", "--horizon", "273", "--predictions", same).exit_code == 0
    assert out.read_text() == same.read_text()
    rows = rows_of(out)
    assert list(rows[0]) == ["member", "expected_orders", "expected_amount"]
    assert len({row["member"] for row in rows}) == 2357
    first = rows[0]
    assert first["member"] == "00004"
    assert float(first["expected_orders"]) == pytest.approx(1.226, abs=5e-4)
    assert sum(float(row["expected_amount"]) for row in rows) == pytest.approx(61_000, rel=0.1)


def test_people_read_the_parameters_and_how_well_they_fit() -> None:
    said = run(*CDNOW).stdout
    assert "  alpha 4.414 ± 0.47" in said
    assert "Chi-square 4.82 with 3 degrees of freedom, p = 0.185." in said


def log_file(tmp_path: Path, lines: list[str], header: str = "member,date,paid") -> Path:
    path = tmp_path / "log.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_too_few_members_are_one_sentence_and_a_failure(tmp_path: Path) -> None:
    result = run(log_file(tmp_path, ["m1,2026-01-02,5.00"]), "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "Error: log.csv: not enough data: 1 members, 0 of them bought again;"
        " 30 and 10 are needed.\n"
    )
    empty = run(*CDNOW[:-1], "1990-01-01", "--json")
    assert (empty.exit_code, empty.stdout) == (1, "")


def alike(tmp_path: Path) -> Path:
    """Forty members who bought the same twice, on the same two days, for the same money."""
    lines = [f"m{i},2026-01-{day:02},10.00,card" for i in range(40) for day in (2, 9)]
    return log_file(tmp_path, lines, "member,date,paid,what")


@pytest.mark.parametrize("model", ["bgnbd", "gg"])
def test_a_fit_without_a_peak_says_so_and_knows_no_errors(tmp_path: Path, model: str) -> None:
    result = run(alike(tmp_path), "--model", model, "--as-of", "2026-02-01", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["converged"] is False
    assert set(told["standard_errors"].values()) == {None}
    assert f"{model} did not converge" in result.stderr


def test_without_payments_orders_are_foretold_and_money_is_not(tmp_path: Path) -> None:
    out, free = tmp_path / "out.csv", alike(tmp_path)
    free.write_text(free.read_text().replace("10.00", "0.00"))
    result = run(free, "--as-of", "2026-02-01", "--predictions", out, "--json")
    assert result.exit_code == 0, result.output
    assert "No amounts are foretold: not enough data: 0 members" in result.stderr
    assert {row["expected_amount"] for row in rows_of(out)} == {""}
