"""A database server of the benchmark's own, as the product starts it, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liuke.project.home import Home
from liuke.project.postgres import database


@contextmanager
def throwaway() -> Iterator[str]:
    """An empty home with its own embedded server, fsync on, or a new database on the server of LIUKE_BENCH_URL."""
    folder = Path(tempfile.mkdtemp(prefix="liuke-bench-", dir="/tmp"))
    folder.chmod(0o755)
    os.environ["LIUKE_HOME"] = str(folder / "home")
    os.environ["LIUKE_DATABASE_URL"] = os.environ.get("LIUKE_BENCH_URL", "")
    try:
        with database(Home(folder / "home")) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)
