"""An operator brings the order log of a shop: the product, from the command line, in the order a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.databases import run_liuke
from tests.samples.cdnow import SAMPLE

pytestmark = pytest.mark.django_db


def test_one_log(spare: str, tmp_path: Path) -> None:
    def liuke(*words: object) -> str:
        code, out, err = run_liuke(spare, *words)
        assert code == 0, err
        return out

    # She asks before there is anything to ask about, and is told how to begin.
    code, out, err = run_liuke(spare, "retain")
    assert (code, out) == (2, "")
    assert "liuke import orders" in err

    # She names a file that is not there, and then the log itself. It has no header; the columns are guessed.
    code, _, err = run_liuke(spare, "import", "orders", tmp_path / "nothing.csv", "--yes")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    told = json.loads(liuke("import", "orders", SAMPLE, "--yes", "--currency", "USD", "--json"))
    assert (told["members"], told["orders_new"], told["rejected"]) == (2357, 6919, 0)

    # Who stays, who is leaving, who is overdue.
    retained = json.loads(liuke("retain", "--json"))
    assert (retained["members"], retained["orders"], retained["as_of"]) == (
        2357,
        6919,
        "1998-06-30",
    )
    assert sum(retained["stages"].values()) == sum(retained["rfm_groups"].values()) == 2357
    assert retained["warnings"] == sorted(
        retained["warnings"], key=lambda each: -each["at_stake_fen"]
    )
    assert all(
        each["still_normal"] <= 0.05 and each["orders"] >= 2 for each in retained["warnings"]
    )

    # A year earlier it looked different, and asking again says the same.
    earlier = json.loads(liuke("retain", "--json", "--as-of", "1997-06-30"))
    assert earlier["orders"] < retained["orders"]
    assert earlier["stages"]["churned"] < retained["stages"]["churned"]
    assert json.loads(liuke("retain", "--json", "--as-of", "1997-06-30")) == earlier

    # One page for her partner, who has no account and no network.
    liuke("report", "--out", tmp_path / "for my partner")
    for name in ("report.html", "report.en.html"):
        page = (tmp_path / "for my partner" / name).read_text("utf-8")
        assert "2,357" in page
        assert "<script" not in page
        assert 'src="http' not in page

    # She imports the same file by mistake. Nothing changes.
    again = json.loads(liuke("import", "orders", SAMPLE, "--yes", "--currency", "USD", "--json"))
    assert (again["orders_new"], again["orders_known"], again["members_new"]) == (0, 6919, 0)
    assert json.loads(liuke("retain", "--json")) == retained

    # And the product vouches for itself.
    assert "all figures agree" in liuke("rebuild", "facts")
    assert json.loads(liuke("audit", "--json"))["clean"] is True
