"""The file one forwards."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.test import Client

from liuke.analytics import queries
from liuke.analytics.models import Source
from liuke.interfaces.ui.report import render_report
from tests.interfaces.conftest import SCRIPT

LANGUAGES = ("zh-hans", "en")


def page_of(source: Source, language: str) -> str:
    report = queries.report_of(source)
    assert report is not None
    return render_report(json.loads(json.dumps(report)), language=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_asks_nothing_of_the_network(language: str, cdnow: Source) -> None:
    page = page_of(cdnow, language)
    assert not re.search(
        r"https?://|//[a-z]+\.|@import|url\(|<link|<script|\ssrc=|<a\s|<form", page
    )
    assert page.startswith("<!doctype html>")


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_size_without_the_data_stays_within_45_kb(language: str, shop: Source) -> None:
    assert len(page_of(shop, language).encode()) <= 45 * 1024


def test_names_cannot_become_markup(shop: Source) -> None:
    page = page_of(shop, "zh-hans")
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page


def test_it_speaks_one_language_at_a_time(cdnow: Source) -> None:
    english = re.sub(
        r"<style>.*?</style>", "", page_of(cdnow, "en").replace('aria-hidden="true">留<', "><")
    )
    chinese = re.sub(r"<style>.*?</style>", "", page_of(cdnow, "zh-hans"))
    assert not re.search("[\u4e00-\u9fff]", english.replace(cdnow.title, ""))
    words = re.sub(r"<[^>]+>", " ", chinese.replace(cdnow.title, ""))
    assert set(re.findall(r"[A-Za-z]{4,}", words)) <= {"cdnow", "Liuke"}


def test_its_sentences_carry_the_figures_of_the_report(cdnow: Source) -> None:
    report = queries.report_of(cdnow)
    assert report is not None
    words = unescape(re.sub(r"<[^>]+>", "", page_of(cdnow, "en")))
    stages = report["stages"]
    here = stages["new"]["members"] + stages["active"]["members"]
    assert f"{here:,} of 2,357 members are still here" in words
    assert "6,919 orders" in words


def test_the_console_hands_it_over_as_a_file(visitor: Client, shop: Source) -> None:
    answer = visitor.get("/report/")
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Disposition"].rstrip('"').endswith(".html")
    assert b"Retention report" in answer.content


def test_an_old_report_without_lists_still_draws(shop: Source) -> None:
    report = queries.report_of(shop)
    assert report is not None
    del report["warnings"]["top"], report["log"]["imports"]
    report["headlines"].append({"key": "from_the_future", "params": {}})
    report["limits"].append({"key": "from_the_future", "params": {}})
    assert "留存报告" in render_report(report, language="zh-hans")
