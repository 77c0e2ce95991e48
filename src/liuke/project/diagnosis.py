"""What does PostgreSQL's own complaint mean for the person who typed `liuke`?"""

from __future__ import annotations

import re

from liuke.project.home import Home, full_disk

# Another start, or processes of a server that was killed, still hold the data: wait and try again.
_HELD = re.compile(
    r"lock file .* already exists|still in use|already running|Is another postmaster", re.IGNORECASE
)
_FULL = re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE)
_MEMORY = re.compile(r"could not (?:create|map|resize) .*shared memory|Cannot allocate memory")
_DAMAGED = re.compile(
    r"could not locate a valid checkpoint|is not a valid data directory|invalid (?:data|checkpoint|primary)"
    r"|could not open file \"(?!/)|incorrect checksum|database files are incompatible"
    r"|could not read file|could not access status|is missing|could not open directory \"(?!/)",
)
_OTHERS = re.compile(r"wrong ownership|Permission denied")


def is_held(log: str) -> bool:
    return bool(_HELD.search(log))


def sentence(log: str, home: Home) -> str:
    """One sentence for why the server, or its first set-up, failed."""
    log = log.replace(f"{home.data}/", "")
    if _FULL.search(log):
        return full_disk(home.path)
    if _MEMORY.search(log):
        return "There is not enough memory to start the database; close something else and start again."
    if is_held(log):
        return (
            f"Another process holds the database files in {home.data};"
            " run `liuke doctor --stop` and start again."
        )
    if _OTHERS.search(log):
        return f"The database files in {home.data} belong to another user; run Liuke as their owner ({worst(log)})."
    if _DAMAGED.search(log):
        return (
            f"The database files in {home.data} are damaged ({worst(log)});"
            " move the folder away and restore a backup."
        )
    return f"The database did not start ({worst(log)}); the whole story is in {home.postgres_log}."


def worst(log: str) -> str:
    """The line that says most: the first PANIC or FATAL, else the last one."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for level in ("PANIC:", "FATAL:", "error:", "ERROR:", "could not"):
        for line in lines:
            if level in line:
                _, _, after = line.partition(level)
                return (after if level.endswith(":") else level + after).strip().rstrip(".")
    return lines[-1].rstrip(".") if lines else "it said nothing"
