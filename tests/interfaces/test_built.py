"""The committed style and script are what the sources give, small enough, and safe for old web views."""

from __future__ import annotations

import filecmp
import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import liuke

ROOT = Path(__file__).resolve().parents[2]
STATIC = Path(liuke.__file__).parent / "interfaces" / "ui" / "static" / "liuke"


def test_sources_give_what_is_committed(tmp_path: Path) -> None:
    if (
        shutil.which("node") is None
        or not (ROOT / "frontend" / "node_modules" / "lightningcss").is_dir()
    ):
        pytest.skip("needs node and `cd frontend && npm install`")
    subprocess.run(
        ["node", "build.mjs", str(tmp_path)], cwd=ROOT / "frontend", check=True, capture_output=True
    )
    for name in ("app.css", "report.css", "shop.css", "app.js", "shop.js", "seen.js"):
        assert filecmp.cmp(tmp_path / name, STATIC / name, shallow=False), (
            f"run `make css`: {name} is stale"
        )


def test_script_stays_tiny_and_evaluates_nothing() -> None:
    script = (STATIC / "app.js").read_text(encoding="utf-8")
    assert len(gzip.compress(script.encode(), 9)) <= 2560
    assert not re.search(r"\beval\b|new Function|innerHTML|\.style\b", script)


def test_the_members_script_is_smaller_still() -> None:
    script = (STATIC / "shop.js").read_text(encoding="utf-8")
    assert len(gzip.compress(script.encode(), 9)) <= 2048
    assert not re.search(r"\beval\b|new Function|innerHTML|\.style\b", script)


def test_the_script_that_notes_visits_is_small_and_asks_nobody_else() -> None:
    script = (STATIC / "seen.js").read_text(encoding="utf-8")
    assert len(gzip.compress(script.encode(), 9)) <= 1024
    assert not re.search(
        r"https?:|\beval\b|new Function|innerHTML|\.style\b|localStorage|\?\.|\?\?", script
    )


@pytest.mark.parametrize("name", ["app.css", "report.css", "shop.css"])
def test_style_has_nothing_an_old_web_view_drops(name: str) -> None:
    style = (STATIC / name).read_text(encoding="utf-8")
    too_new = (
        r"@layer|@container|:has\(|oklch|color-mix|\btranslate:|\bscale:|\brotate:|\d[dsl]v[hw]\b|@import"
        r"|url\((?![\"']?data:)"
    )
    assert not re.search(too_new, style)
    assert "[data-theme=auto]" in style
    assert len(style.encode()) < 56_000
