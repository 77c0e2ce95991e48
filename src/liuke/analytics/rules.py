"""What are the stages called? The order is the code: new 0, active 1, silent 2, churned 3, as in `liuke.science`."""

from __future__ import annotations

STAGES = ("new", "active", "silent", "churned")
STAGE_CODES = (0, 1, 2, 3)
