"""What is known: sources and their reports, members and their stories, segments, uploads."""

from liuke.analytics.queries.audiences import (
    audience,
    checked_filter,
    segment_named,
    segment_size,
    segment_sizes,
    segments,
)
from liuke.analytics.queries.dropped import BadLineRow, bad_lines, upload_named, uploads
from liuke.analytics.queries.lists import (
    MemberPage,
    MemberRow,
    all_rows,
    member_rows,
    members,
    standings,
)
from liuke.analytics.queries.reports import (
    as_of_default,
    groups,
    has_items,
    imports_of,
    is_stale,
    last_import,
    order_days,
    policy,
    report_of,
    source_named,
    sources,
)
from liuke.analytics.queries.stories import (
    MemberStory,
    MoveRow,
    PurchaseRow,
    file_of,
    member_story,
)
from liuke.analytics.rules import AUDIENCE_KEYS

__all__ = [
    "AUDIENCE_KEYS",
    "BadLineRow",
    "MemberPage",
    "MemberRow",
    "MemberStory",
    "MoveRow",
    "PurchaseRow",
    "all_rows",
    "as_of_default",
    "audience",
    "bad_lines",
    "checked_filter",
    "file_of",
    "groups",
    "has_items",
    "imports_of",
    "is_stale",
    "last_import",
    "member_rows",
    "member_story",
    "members",
    "order_days",
    "policy",
    "report_of",
    "segment_named",
    "segment_size",
    "segment_sizes",
    "segments",
    "source_named",
    "sources",
    "standings",
    "upload_named",
    "uploads",
]
