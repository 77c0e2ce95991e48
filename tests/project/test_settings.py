"""A setting that makes no sense is one sentence, not a traceback."""

from __future__ import annotations

import pytest

from tests.databases import run_liuke

NO_ZONE = "LIUKE_TIME_ZONE is %r, which is no time zone; try Asia/Shanghai."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "LIUKE_TIME_ZONE",
            "Mars/Olympus",
            NO_ZONE % "Mars/Olympus",
        ),
        (
            "LIUKE_TIME_ZONE",
            "../../etc/passwd",
            NO_ZONE % "../../etc/passwd",
        ),
        ("LIUKE_CURRENCY", "yuan", "LIUKE_CURRENCY is 'yuan', which is no currency code; try CNY."),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, spare: str, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    code, out, err = run_liuke(spare, "retain")
    assert (code, out, err.strip()) == (2, "", sentence)
