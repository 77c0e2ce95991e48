"""`liuke import keys` and `liuke key rotate`: what they print, ask and refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from liuke.catalog.errors import UnknownProduct, UnknownVariant
from liuke.catalog.models import CardKey, KeyBatch
from tests.catalog import make
from tests.cli.test_commands import done, liuke
from tests.merchants import make as merchants

pytestmark = pytest.mark.django_db
CANARY = "CANARY-7F3K-29QX-88WV"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two keys, in the encoding of a Chinese desk."""
    path = tmp_path / "七月.txt"
    path.write_bytes(f"{CANARY}\r\n卡密一二三\r\n".encode("gb18030"))
    return path


def test_keys_come_in_and_the_figures_are_told(file: Path) -> None:
    variant = make.variant()
    told = json.loads(
        done("import", "keys", file, "--product", variant.product.reference, "--yes", "--json")
    )
    assert told == {
        "batch": KeyBatch.objects.get().reference,
        "product": variant.product.reference,
        "variant": variant.reference,
        "keys": 2,
        "sold_elsewhere": 0,
    }
    assert KeyBatch.objects.get().name == "七月.txt"


def test_it_asks_first_and_no_is_no(file: Path) -> None:
    variant = make.variant()
    asked = liuke("import", "keys", file, "--product", variant.product.reference, stdin="n\n")
    assert asked.exit_code == 1
    assert variant.name in asked.output
    assert CardKey.objects.count() == 0
    yes = liuke("import", "keys", file, "--product", variant.product.reference, stdin="y\n")
    assert yes.exit_code == 0
    assert "2 card keys came in" in yes.output


def test_bad_lines_are_listed_and_nothing_comes_in(file: Path, tmp_path: Path) -> None:
    variant = make.variant()
    words = ("--product", variant.product.reference, "--yes")
    done("import", "keys", file, *words)
    again = tmp_path / "again.txt"
    again.write_text(f"NEW-KEY-0001\nab\n{CANARY.lower()}\n")
    refused = liuke("import", "keys", again, *words, "--json")
    assert refused.exit_code == 2
    assert json.loads(refused.stdout) == {
        "error": "KeysRefused",
        "count": 2,
        "lines": [{"line": 2, "problem": "too_short"}, {"line": 3, "problem": "known"}],
    }
    again.write_text(f"NEW-KEY-0001\n{CANARY.lower()}\n")
    refused = liuke("import", "keys", again, *words)
    assert refused.exit_code == 2
    assert "2" in refused.stderr
    assert CANARY not in refused.output.upper()
    assert CardKey.objects.count() == 2


def test_the_variant_is_asked_for_only_where_there_are_several(file: Path) -> None:
    product = make.product()
    one, two = make.variant(product, "一"), make.variant(product, "二")
    make.variant(product, "套餐", stock_kind="bundle", parts=[(one, 1)])
    words = ("import", "keys", file, "--product", product.reference, "--yes")
    refused = liuke(*words)
    assert refused.exit_code == 2
    assert all(each.reference in refused.output for each in (one, two))
    done(*words, "--variant", two.reference)
    assert {key.variant for key in CardKey.objects.all()} == {two}


@pytest.mark.parametrize("kind", ["top_up", "agent_service"])
def test_goods_without_keys_take_none(kind: str, file: Path) -> None:
    product = make.product(kind=kind)
    make.variant(product)
    refused = liuke("import", "keys", file, "--product", product.reference, "--yes")
    assert refused.exit_code == 2
    assert CardKey.objects.count() == 0


def test_unknown_references_and_anothers_variant_are_refused(file: Path) -> None:
    ours, theirs = make.variant(), make.variant(make.product(merchants.merchant("别家")))
    unknown = liuke("import", "keys", file, "--product", "XXXX", "--yes")
    assert isinstance(unknown.exception, UnknownProduct)
    mixed = ("--product", ours.product.reference, "--variant", theirs.reference)
    assert isinstance(liuke("import", "keys", file, *mixed, "--yes").exception, UnknownVariant)
    assert CardKey.objects.count() == 0


def test_a_new_master_key_is_made_when_somebody_says_yes(settings: Any, tmp_path: Path) -> None:
    settings.LIUKE_HOME = str(tmp_path)
    make.variant(keys=1)
    assert liuke("key", "rotate", stdin="n\n").exit_code == 1
    assert KeyBatch.objects.get().master_version == 1
    told = done("key", "rotate", "--yes")
    assert "number 2" in told
    assert "1 data keys" in told
    assert KeyBatch.objects.get().master_version == 2
    assert len(bytes.fromhex(done("key", "export").strip())) == 96
