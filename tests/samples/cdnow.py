"""How does a 1997 order log become recent months? Every date moves by the same whole number of weeks.

The log is the 1/10 sample of CDNOW, an online music shop, published for research by Fader and Hardie and
distributed with the Python package `lifetimes` (MIT): 2,357 customers, 6,919 orders, January 1997 to June 1998.
Moving by weeks keeps weekdays and every gap as they were.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

SAMPLE = Path(__file__).with_name("cdnow_sample.txt")
HEADER = "member,date,cds,dollars"


def redated(today: dt.date) -> Iterator[str]:
    """The sample as CSV lines whose last order lies one to seven days before `today`."""
    rows = [
        line.split() for line in SAMPLE.read_text(encoding="ascii").splitlines() if line.strip()
    ]
    last = max(_day(row[2]) for row in rows)
    shift = dt.timedelta(weeks=(today - dt.timedelta(days=1) - last).days // 7)
    yield HEADER
    for member, _sample_id, date, cds, dollars in rows:
        yield f"{member},{(_day(date) + shift).isoformat()},{cds},{dollars}"


def _day(text: str) -> dt.date:
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
