"""In which words do we speak of merchants, and what may the platform keep?"""

from __future__ import annotations

MERCHANT_STATES = ("active", "paused", "closed")  # closed is for good
FEE_PERMYRIAD_MAX = 5_000  # half of the price
NAME_LETTERS = 80
REFERENCE_LETTERS = 7
