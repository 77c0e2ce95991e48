"""What counts as the lake, and what becomes of the rest."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from liuke.analytics.lake.errors import LakeDamaged, LakeNotWritten
from liuke.analytics.lake.layout import Lake, LakeFile, Manifest, lakes
from tests.analytics.lake import make


def test_files_are_named_by_their_ids_and_lie_in_their_month(tmp_path: Path) -> None:
    lake = make.lake(tmp_path)
    manifest = make.add(lake, [(1, 0, 5), (2, 0, 5), (1, 40, 7)])
    assert [(file.path, file.rows) for file in manifest.files] == [
        ("purchases/month=2024-10/1-2.parquet", 2),
        ("purchases/month=2024-11/3-3.parquet", 1),
    ]
    assert lake.manifest() == manifest
    assert manifest.purchases == 3


def test_a_key_that_is_no_folder_stays_inside(tmp_path: Path) -> None:
    for key in ("../../etc", "..", "a/b*[c]", "商店"):
        place = Lake.of(tmp_path, key).place
        assert place.parent == tmp_path / "lake"
        assert not set(place.name) & set("/.*?[")


def test_what_nobody_names_is_swept_and_nothing_else(tmp_path: Path) -> None:
    lake = make.lake(tmp_path)
    make.add(lake, [(1, 0, 5)])
    stray = lake.place / "purchases" / "month=2024-10" / "9-9.parquet"
    stray.write_bytes(b"half a file")
    (lake.place / "facts").mkdir()
    (lake.place / "facts" / "1-0.parquet.draft").write_bytes(b"")
    assert lake.sweep() == 2
    assert make.table(lake, {"p": ["purchases/month=2024-10/1-1.parquet"]}, "p", "member_id") == [
        (1,)
    ]
    assert not stray.exists()


def test_a_manifest_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = make.lake(tmp_path)
    before = make.add(lake, [(1, 0, 5)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(LakeNotWritten, match="No space left on device"):
        lake.settle(Manifest(watermark=9))
    assert lake.manifest() == before
    assert not list(lake.place.glob("*.draft"))


def test_a_manifest_of_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    lake = make.lake(tmp_path)
    gone = LakeFile("purchases/month=2024-10/1-1.parquet", 1, 9, 1, 1)
    with pytest.raises(LakeNotWritten):
        lake.settle(Manifest(files=(gone,)))
    assert lake.manifest() is None


@pytest.mark.parametrize("text", ["{", '{"version": 99}', "[]", '{"version": 1, "files": 3}'])
def test_a_manifest_that_is_not_ours_is_a_sentence(tmp_path: Path, text: str) -> None:
    lake = make.lake(tmp_path)
    make.add(lake, [(1, 0, 5)])
    (lake.place / "manifest.json").write_text(text)
    with pytest.raises(LakeDamaged, match="liuke rebuild lake --afresh"):
        lake.manifest()
    assert lake.sweep() == 0


def test_two_runs_take_turns(tmp_path: Path) -> None:
    lake, order = make.lake(tmp_path), []

    def second() -> None:
        with lake.held():
            order.append("second")

    with lake.held():
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.3)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]


def test_every_lake_of_a_home_is_found(tmp_path: Path) -> None:
    make.add(make.lake(tmp_path, "b"), [(1, 0, 5)])
    make.add(make.lake(tmp_path, "a"), [(1, 0, 5)])
    assert [lake.place.name for lake in lakes(tmp_path)] == ["a", "b"]


def test_what_the_doctor_the_audit_and_the_worker_import_is_light() -> None:
    """Ibis, pandas and pyarrow stay in short-lived processes."""
    program = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'liuke.project.settings';"
        "import django; django.setup(); import liuke.analytics.jobs, liuke.analytics.invariants, liuke.reactions;"
        "import liuke.project.urls, liuke.project.doctor;"
        "print(sorted({'ibis', 'pandas', 'pyarrow', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
