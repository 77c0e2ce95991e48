"""Commands in this process, on the test database: what they print, ask and refuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.db import connection

from liuke.analytics.errors import NoOrdersYet, UnreadableOrderLog
from liuke.analytics.models import Evaluation, Import, MemberFacts, Purchase
from liuke.interfaces.cli.commands import commands
from liuke.people.errors import LoginNameTaken, UnknownLogin, WeakPassword
from liuke.people.models import Login
from tests.analytics import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
LINES = ["m1,2026-01-02,5.00,,月卡,1", "m2,2026-01-03,6.00,,,1", "m2,2026-03-01,7.00,,,1"]


def liuke(*words: object, stdin: str | None = None) -> Result:
    name, *rest = (str(word) for word in words)
    return CliRunner().invoke(commands[name], rest, input=stdin, obj={"serve": None})


def done(*words: object) -> str:
    result = liuke(*words)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.stdout


def test_import_names_its_figures_as_json(tmp_path: Path) -> None:
    path = make.log_file(tmp_path, [*LINES, "m3,someday,1,,,1"])
    told = json.loads(done("import", "orders", path, "--yes", "--json"))
    assert told["rejected_lines"][0].startswith("line 5:")
    del told["rejected_lines"]
    assert told == {
        "source": "main",
        "currency": "CNY",
        "lines": 4,
        "accepted": 3,
        "rejected": 1,
        "blank": 0,
        "rounded": 0,
        "orders_new": 3,
        "orders_known": 0,
        "members": 2,
        "members_new": 2,
    }


def test_import_takes_columns_by_name_or_number_and_guesses_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("uid,when,paid,what\na,2026-01-02,5,卡\nb,2026-01-03,6,卡\n", encoding="gbk")
    done(
        "import", "orders", path, "--member", "uid", "--at", "2", "--amount", "paid", "--item", "4"
    )
    assert Purchase.objects.count() == 2
    assert Import.objects.get().mapping["item"] == 4


def test_a_currency_code_is_for_the_whole_file(tmp_path: Path) -> None:
    told = json.loads(
        done(
            "import",
            "orders",
            make.log_file(tmp_path, LINES),
            "--yes",
            "--currency",
            "USD",
            "--json",
        )
    )
    assert told["currency"] == "USD"


def test_guessed_columns_are_shown_and_need_consent(tmp_path: Path) -> None:
    path = make.log_file(tmp_path, LINES)
    refused = liuke("import", "orders", path)
    assert refused.exit_code == 2
    assert "column 3 “amount”" in refused.stderr
    assert "--yes" in refused.stderr
    assert Import.objects.count() == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--member", "9", "--at", "2", "--amount", "3"], "9"),
        (["--member", "nobody", "--at", "2", "--amount", "3"], "nobody"),
        (["--member", "1", "--at", "1", "--amount", "3"], "member"),
    ],
)
def test_wrong_columns_are_refused_in_one_sentence(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    result = liuke("import", "orders", make.log_file(tmp_path, LINES), *words)
    assert isinstance(result.exception, UnreadableOrderLog)
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)
    assert Import.objects.count() == 0


def test_ambiguous_dates_are_refused_even_with_yes_until_told(tmp_path: Path) -> None:
    path = make.log_file(tmp_path, ["m1,03/04/2025,5.00,,,1"])
    result = liuke("import", "orders", path, "--yes")
    assert isinstance(result.exception, UnreadableOrderLog)
    assert "03/04/2025" in str(result.exception)
    done("import", "orders", path, "--yes", "--date-order", "dmy")
    assert Purchase.objects.get().on.isoformat() == "2025-04-03"


@pytest.mark.parametrize(
    "content", [b"", b"only a header\n", b"\x89PNG\r\n\x1a\n\0\0\0", b"PK\x03\x04\x14\0\0"]
)
def test_what_is_no_order_log_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    result = liuke("import", "orders", path, "--yes")
    assert isinstance(result.exception, UnreadableOrderLog)
    assert str(result.exception).endswith((".", "?"))
    assert Import.objects.count() == 0


def test_every_bad_line_is_written_where_asked(tmp_path: Path) -> None:
    path = make.log_file(tmp_path, [*LINES * 20, *(f"m{n},never,1,,,1" for n in range(30))])
    rejects = tmp_path / "rejects.csv"
    told = done("import", "orders", path, "--yes", "--rejects", rejects)
    with rejects.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert [row[0] for row in rows[1:]] == [str(n) for n in range(62, 92)]
    assert "and 10 more" in told


def test_the_evaluation_of_a_large_import_is_left_to_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liuke.interfaces.cli.import_orders.EVALUATED_AT_ONCE", 2)
    result = liuke("import", "orders", make.log_file(tmp_path, LINES), "--yes")
    assert (result.exit_code, Evaluation.objects.count()) == (0, 0)
    assert "liuke rebuild standings" in result.stderr
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo'")
        assert cursor.fetchall() == [("analytics.evaluate",)]
    assert json.loads(done("retain", "--json"))["orders"] == 3
    done("rebuild", "standings")
    assert Evaluation.objects.get().report["log"]["orders"] == 3


def test_retain_has_the_promised_keys(tmp_path: Path) -> None:
    done("import", "orders", make.log_file(tmp_path, LINES), "--yes")
    told = json.loads(done("retain", "--json"))
    assert told.keys() >= {"members", "orders", "as_of", "stages", "rfm_groups", "warnings"}
    assert (told["members"], told["orders"], told["as_of"]) == (2, 3, "2026-03-01")
    assert told["stages"] == {"new": 0, "active": 1, "silent": 1, "churned": 0}
    assert sum(told["rfm_groups"].values()) == 2
    earlier = json.loads(done("retain", "--json", "--as-of", "2026-01-02"))
    assert (earlier["members"], earlier["stages"]["new"]) == (1, 1)
    text = done("retain")
    assert "2 members, 3 orders, ¥18.00" in text


def test_retain_before_any_import_says_how_to_begin() -> None:
    result = liuke("retain")
    assert isinstance(result.exception, NoOrdersYet)
    assert liuke("retain", "--as-of", "tomorrow").exit_code == 2


def test_report_writes_a_page_in_each_language(tmp_path: Path) -> None:
    done("import", "orders", make.log_file(tmp_path, LINES), "--yes")
    told = done("report", "--out", tmp_path / "留客 报告")
    pages = [Path(line) for line in told.splitlines()]
    assert [page.name for page in pages] == ["report.html", "report.en.html"]
    assert 'lang="zh-hans"' in pages[0].read_text("utf-8").lower()
    assert 'lang="en"' in pages[1].read_text("utf-8")
    occupied = liuke("report", "--out", tmp_path / "log.csv")
    assert occupied.exit_code == 2


def test_audit_is_clean_and_exits_1_when_a_promise_is_broken(tmp_path: Path) -> None:
    done("import", "orders", make.log_file(tmp_path, LINES), "--yes")
    told = json.loads(done("audit", "--json"))
    assert (told["clean"], told["violations"]) == (True, {})
    assert told["checked"] >= 14
    MemberFacts.objects.update(spent_fen=1)
    broken = liuke("audit", "--json")
    assert broken.exit_code == 1
    assert json.loads(broken.stdout)["violations"] == {"analytics.facts_equal_purchases": 2}
    assert "BROKEN analytics.facts_equal_purchases" in liuke("audit").stdout


def test_rebuild_finds_and_repairs_drift(tmp_path: Path) -> None:
    done("import", "orders", make.log_file(tmp_path, LINES), "--yes")
    assert "all figures agree" in done("rebuild", "facts")
    MemberFacts.objects.update(spent_fen=1)
    drifted = liuke("rebuild", "facts")
    assert (drifted.exit_code, "2 of 2 members differ" in drifted.stdout) == (1, True)
    assert "repaired" in done("rebuild", "facts", "--repair")
    assert "all figures agree" in done("rebuild", "facts")
    assert "as of 2026-03-01" in done("rebuild", "standings")


def test_operators_get_a_password_printed_once() -> None:
    told = done("operator", "open", "店长")
    password = told.split(": ")[1].strip()
    assert Login.objects.get(name="店长").check_password(password)
    assert isinstance(liuke("operator", "open", "店长").exception, LoginNameTaken)
    assert isinstance(
        liuke("operator", "open", "x", "--password", "1234567890").exception, WeakPassword
    )
    assert isinstance(liuke("operator", "password", "nobody").exception, UnknownLogin)
    changed = done("operator", "password", "店长").split(": ")[1].strip()
    assert changed != password
    assert Login.objects.get(name="店长").check_password(changed)
    assert Login.objects.count() == 1


def test_every_command_has_help_without_touching_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def walk(command: Any, path: list[str]) -> None:
        result = CliRunner().invoke(command, ["--help"])
        assert result.exit_code == 0, path
        assert command.help, path
        for name, child in getattr(command, "commands", {}).items():
            walk(child, [*path, name])

    for name, command in commands.items():
        walk(command, [name])


def test_bench_names_what_there_is_and_refuses_what_there_is_not() -> None:
    assert "events" in done("bench").splitlines()
    assert liuke("bench", "nothing").exit_code == 2
