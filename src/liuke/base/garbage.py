"""How often does Python search for garbage?"""

from __future__ import annotations

import gc

OBJECTS_BETWEEN = 50_000


def search_rarely() -> None:
    """For a process that has loaded everything and goes on for long.

    What is loaded is never looked at again, and the search for circles begins after fifty thousand new objects, not
    after seven hundred: a page of the ORM makes thousands, which almost all go without a search.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN, 20, 20)
