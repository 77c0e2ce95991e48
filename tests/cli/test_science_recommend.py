"""`liuke science recommend`: lists that anyone can check, from a file, without a site."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from liuke.interfaces.cli.science.recommend import recommend

WHERE = ("--member", "who", "--at", "on", "--item", "what")


def log_file(folder: Path, lines: list[str], head: str = "who,on,what") -> Path:
    path = folder / "log.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def shop(folder: Path) -> Path:
    """Ten who buy a and b monthly, and one who bought c once; in March a has d beside it."""
    lines = [f"m{n},2026-0{month}-0{1 + n % 5},{item}"
             for n in range(10) for month in (1, 2, 3) for item in ("a", "b")]  # fmt: skip
    lines += [f"m{n},2026-03-0{1 + n % 5},d" for n in range(5)]
    return log_file(folder, [*lines, "m99,2026-01-07,c"])


def run(file: Path, *words: object) -> Result:
    return CliRunner().invoke(recommend, [str(file), *WHERE, *map(str, words)])


def told(file: Path, *words: object) -> dict[str, Any]:
    result = run(file, *words, "--json")
    assert result.exit_code == 0, result.output + repr(result.exception)
    figures: dict[str, Any] = json.loads(result.stdout)
    assert figures.pop("seconds") >= 0
    return figures


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_the_figures_and_the_lists_of_both_kinds(tmp_path: Path) -> None:
    file, out = shop(tmp_path), tmp_path / "out.csv"
    words = ("--as-of", "2026-02-28", "--horizon", 30, "--k", 2, "--predictions", out)
    assert told(file, *words) == {
        "recall_at_k": pytest.approx((5 * 2 / 3 + 5) / 10),
        "recall_at_k_new": 0.0,  # nobody can know of d, which was never bought before
        "k": 2,
        "members": 10,
        "items": 3,
        "as_of": "2026-02-28",
        "horizon": 30,
    }
    found = rows(out)
    assert found[0] == ["member", "rank", "item"]
    assert len(found) == 1 + 11 * 2
    assert {(row[1], row[2]) for row in found[1:] if row[0] == "m0"} <= {
        (rank, item) for rank in "12" for item in "ab"
    }
    assert told(file, *words, "--new-only")["members"] == 5
    assert [row for row in rows(out) if row[0] in ("m0", "m99")] == [
        ["m0", "1", "c"],
        ["m99", "1", "a"],
        ["m99", "2", "b"],
    ]


def test_recall_is_what_the_predictions_give_counted_by_hand(tmp_path: Path) -> None:
    file, out = shop(tmp_path), tmp_path / "out.csv"
    figures = told(file, "--as-of", "2026-02-28", "--k", 1, "--predictions", out)
    first = {row[0]: row[2] for row in rows(out)[1:]}
    truth: dict[str, set[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines()[1:]:
        who, on, what = line.split(",")
        if on > "2026-02-28":
            truth.setdefault(who, set()).add(what)
    by_hand = sum((first[who] in basket) / len(basket) for who, basket in truth.items())
    assert figures["recall_at_k"] == pytest.approx(by_hand / len(truth))


def test_nothing_after_the_day_leaves_nothing_to_compare(tmp_path: Path) -> None:
    figures = told(shop(tmp_path))
    assert figures["recall_at_k"] is None
    assert figures["recall_at_k_new"] is None
    assert figures["horizon"] is None
    assert figures["members"] == 0
    assert figures["as_of"] == "2026-03-05"
    assert "nothing after that day" in run(shop(tmp_path)).stdout


def test_an_order_number_makes_the_basket_and_a_return_is_no_purchase(tmp_path: Path) -> None:
    lines = ["m1,2026-01-01,a,5,1", "m2,2026-01-01,a,5,2", "m2,2026-01-02,z,-5,3",
             "m1,2026-02-01,a,5,4", "m1,2026-02-01,b,5,5"]  # fmt: skip
    file = log_file(tmp_path, lines, "who,on,what,paid,order no")
    words = ("--amount", "paid", "--order", "order no", "--as-of", "2026-01-31")
    figures = told(file, *words)
    assert figures["items"] == 1
    assert figures["recall_at_k"] == 1.0  # order 4, not the whole day


def test_a_member_without_an_item_gets_what_is_popular(tmp_path: Path) -> None:
    file, out = log_file(tmp_path, ["m1,2026-01-01,a", "m2,2026-01-01,"]), tmp_path / "out.csv"
    told(file, "--predictions", out)
    assert rows(out)[1:] == [["m1", "1", "a"], ["m2", "1", "a"]]


def test_a_day_before_the_log_is_refused_in_a_sentence(tmp_path: Path) -> None:
    result = run(shop(tmp_path), "--as-of", "2020-01-01", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "Error: log.csv: nobody bought an item up to 2020-01-01.\n"


def test_the_sentences_say_how_often_the_lists_were_right(tmp_path: Path) -> None:
    said = run(shop(tmp_path), "--as-of", "2026-02-28", "--k", 2).stdout
    assert "11 members and 3 items as of 2026-02-28" in said
    assert "Of what 10 members put into their next basket within 30 days, 83.3% stood" in said
