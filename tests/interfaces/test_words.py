"""Both languages are whole, and sentences say what their figures say."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest
from django.utils import translation

import liuke
from liuke.analytics import queries
from liuke.interfaces.ui import figures, wording

CATALOGUE = Path(liuke.__file__).parent / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
HEADLINES = {
    "who_is_here": {"members": 2357, "active": 161, "share": 0.068},
    "silent_and_churned": {"silent": 138, "churned": 2058, "share": 0.932},
    "second_order": {"once": 1205, "more": 1152, "share": 0.489, "median_days": 55},
    "money_concentrated": {"top_share": 0.2, "money_share": 0.675},
    "overdue": {"members": 11, "at_stake_fen": 128_500, "horizon_days": 90},
    "moved": {"fell_silent": 81, "came_back": 93, "days": 30},
    "cohort_change": {
        "recent_share": 0.2, "before_share": 0.3, "recent_members": 900, "recent_cohorts": 3, "low": -0.2,
        "high": -0.01, "direction": "down", "age": 1,
    },
}  # fmt: skip


def test_chinese_is_whole() -> None:
    catalogue = polib.pofile(str(CATALOGUE))
    assert [entry.msgid for entry in catalogue if not entry.translated() or entry.fuzzy] == []
    assert len(catalogue) > 200


def test_the_compiled_catalogue_is_the_written_one() -> None:
    written, compiled = (
        polib.pofile(str(CATALOGUE)),
        polib.mofile(str(CATALOGUE.with_suffix(".mo"))),
    )
    assert {e.msgid: (e.msgstr, e.msgstr_plural) for e in written} == {
        e.msgid: (e.msgstr, e.msgstr_plural) for e in compiled
    }


def test_figures_survive_translation() -> None:
    slots = re.compile(r"%\((\w+)\)s")
    for entry in polib.pofile(str(CATALOGUE)):
        expected = set(slots.findall(entry.msgid)) | set(slots.findall(entry.msgid_plural))
        found = set(slots.findall(entry.msgstr or entry.msgstr_plural[0]))
        assert found == expected, entry.msgid


def test_every_sentence_in_the_sources_is_in_the_catalogue() -> None:
    known = {entry.msgid for entry in polib.pofile(str(CATALOGUE))}
    said = re.compile(r"""gettext(?:_noop)?\(\s*"((?:[^"\\]|\\.)*)"\s*\)""")
    tagged = re.compile(r"""{% trans "([^"]+)" %}""")
    missing = set()
    for path in Path(liuke.__file__).parent.rglob("*"):
        if path.suffix in {".py", ".html"} and "orderlog" not in path.parts:
            pattern = said if path.suffix == ".py" else tagged
            missing |= set(pattern.findall(path.read_text(encoding="utf-8"))) - known
    assert missing == set()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("key", HEADLINES)
def test_each_headline_is_a_sentence_with_all_its_figures(key: str, language: str) -> None:
    with translation.override(language):
        sentence = wording.headline(key, HEADLINES[key], "CNY")
    assert sentence.count("<b>") >= 2
    assert sentence.endswith("。" if language == "zh-hans" else ".")
    assert "%" not in re.sub(r"<b>[^<]*</b>", "", sentence)


def test_unknown_keys_are_not_shown_rather_than_guessed() -> None:
    assert wording.headline("new_one", {}, "CNY") == ""
    assert wording.limit("new_one", {}) == ""
    assert wording.stage_name("other") == "other"
    assert wording.group_name("mine", "我的分群") == "我的分群"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_shipped_group_and_action_has_words(language: str, db: None) -> None:
    with translation.override(language):
        for group in queries.groups():
            assert wording.group_name(group.key) != group.key
            assert wording.action_name(group.action) != group.action


def test_bounds_read_like_a_rule() -> None:
    with translation.override("zh-hans"):
        assert (
            wording.bounds_say({"days_min": 30, "orders_max": 1, "total_max_fen": 4999}, "CNY")
            == "30 天以上没下单，只买过 1 单，消费不到 ¥50"
        )
        assert (
            wording.bounds_say({"days_max": 7, "orders_min": 5, "r_min": 4}, "CNY")
            == "7 天内下过单，5 单以上，R ≥ 4"
        )
        assert wording.bounds_say({}, "CNY") == ""


def test_data_inside_a_sentence_is_escaped() -> None:
    assert wording.told("%(x)s & more", x="<i>") == "<b>&lt;i&gt;</b> &amp; more"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.0004, "<0.1%"), (0.068, "6.8%"), (0.5, "50%"), (1, "100%"), (0.999, "99.9%")],
)
def test_shares(share: float, text: str) -> None:
    assert figures.percent(share) == text


def test_days_have_a_decimal_only_where_it_tells() -> None:
    assert [figures.days_text(days) for days in (0.5, 3.0, 9.94, 12.4, 41)] == [
        "0.5",
        "3",
        "9.9",
        "12",
        "41",
    ]
