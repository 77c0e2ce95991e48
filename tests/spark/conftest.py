"""Only `make test-spark` asks for these: everybody else does without Java and pyspark."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked = "spark" in (config.option.markexpr or "")
    return None if asked else True
