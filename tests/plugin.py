"""A PostgreSQL for the run, before Django reads its settings: `-p tests.plugin` in pyproject.toml loads this first.

Without LIUKE_DATABASE_URL it is the product's own embedded server in a throwaway home, with fsync off; with it, the
server it names. Workers of pytest-xdist inherit the address and make databases of their own in it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def _start() -> None:
    folder = Path(tempfile.mkdtemp(prefix="liuke-tests-", dir="/tmp"))
    folder.chmod(0o755)
    os.environ["LIUKE_HOME"] = str(folder / "home")
    os.environ.setdefault(
        "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
    )  # Playwright's sync API runs a loop in this thread
    if "LIUKE_DATABASE_URL" in os.environ:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return
    from liuke.project.cluster import Cluster
    from liuke.project.home import current

    cluster = Cluster(current().ensure(), fsync=False)
    cluster.start()
    os.environ["LIUKE_DATABASE_URL"] = cluster.url()

    def stop() -> None:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)


if "PYTEST_XDIST_WORKER" not in os.environ:
    _start()
