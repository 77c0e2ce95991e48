"""What does `analytics` promise about its tables?"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from liuke.analytics.behaviour import COUNTED_AS
from liuke.analytics.lake.layout import lakes
from liuke.base.audit import Invariant

# Facts as a recount of the purchases; `liuke rebuild facts` and the audit ask the same question.
RECOUNT = """
SELECT member_id,
       count(*) FILTER (WHERE amount_fen >= 0) AS orders,
       count(DISTINCT "on") FILTER (WHERE amount_fen >= 0) AS order_days,
       count(*) FILTER (WHERE amount_fen < 0) AS returns,
       min("on") FILTER (WHERE amount_fen >= 0) AS first_on,
       max("on") FILTER (WHERE amount_fen >= 0) AS last_on,
       coalesce(sum(amount_fen) FILTER (WHERE amount_fen >= 0), 0)::bigint AS spent_fen,
       coalesce(-sum(amount_fen) FILTER (WHERE amount_fen < 0), 0)::bigint AS returned_fen
FROM analytics_purchase GROUP BY member_id
"""
FACT_COLUMNS = (
    "orders",
    "order_days",
    "returns",
    "first_on",
    "last_on",
    "spent_fen",
    "returned_fen",
)
_KEPT = ", ".join(f"kept.{column}" for column in FACT_COLUMNS)
_COUNTED = ", ".join(f"counted.{column}" for column in FACT_COLUMNS)
DRIFT = f"""
SELECT coalesce(kept.member_id, counted.member_id) AS member_id
FROM analytics_member_facts kept FULL JOIN ({RECOUNT}) counted USING (member_id)
WHERE ({_KEPT}) IS DISTINCT FROM ({_COUNTED})
"""


_PROMISES = [
    Invariant(
        "analytics.facts_equal_purchases",
        "The running figures of every member equal a recount of their purchases, to the smallest unit",
        # Facts of an import that is still waiting for its reaction are late, not wrong.
        f"SELECT * FROM ({DRIFT}) drift WHERE NOT EXISTS (SELECT 1 FROM events_pending p"
        " JOIN events_event e ON e.id = p.event_id WHERE e.name = 'analytics.OrdersImported')",
    ),
    Invariant(
        "analytics.one_standing_for_everyone_with_an_order",
        "After an evaluation every member with an order up to its day has exactly one stage and group",
        "SELECT f.member_id FROM analytics_member_facts f JOIN people_member m ON m.id = f.member_id"
        " JOIN analytics_source s ON s.key = m.source JOIN analytics_evaluation e ON e.source_id = s.id"
        " LEFT JOIN analytics_standing st ON st.member_id = f.member_id"
        " WHERE f.orders > 0 AND f.first_on <= e.as_of AND st.member_id IS NULL"
        " AND e.last_import = (SELECT max(id) FROM analytics_import i WHERE i.source_id = s.id"
        " AND i.orders_new > 0)",
    ),
    Invariant(
        "analytics.standing_follows_the_last_move",
        "A member stands in the stage their dated history ends in",
        "SELECT st.member_id FROM analytics_standing st LEFT JOIN LATERAL ("
        " SELECT stage, since_on FROM analytics_stage_move mv WHERE mv.member_id = st.member_id"
        " ORDER BY since_on DESC LIMIT 1) last ON true"
        " WHERE (last.stage, last.since_on) IS DISTINCT FROM (st.stage, st.since_on)",
    ),
    Invariant(
        "analytics.moves_form_a_chain",
        "Each stage move starts from the stage the one before ended in",
        "SELECT member_id FROM (SELECT member_id, previous_stage, lag(stage) OVER (PARTITION BY member_id"
        " ORDER BY since_on) AS before FROM analytics_stage_move) chain"
        " WHERE previous_stage IS DISTINCT FROM before",
    ),
    Invariant(
        "analytics.imports_lose_no_line",
        "Every line of every imported file was accepted, rejected or blank",
        "SELECT id FROM analytics_import WHERE lines <> accepted + rejected + blank",
    ),
    Invariant(
        "analytics.imports_brought_what_they_say",
        "An import has as many purchases as it reported new orders",
        "SELECT i.id FROM analytics_import i WHERE i.orders_new <>"
        " (SELECT count(*) FROM analytics_purchase p WHERE p.origin_id = i.id)",
    ),
    Invariant(
        "analytics.everything_belongs_to_a_member",
        "No purchase, figure, stage or standing without its member",
        " UNION ALL ".join(
            f"SELECT '{table}' AS told_in, t.member_id FROM {table} t"
            " LEFT JOIN people_member m ON m.id = t.member_id WHERE m.id IS NULL"
            for table in (
                "analytics_purchase",
                "analytics_member_facts",
                "analytics_stage_move",
                "analytics_standing",
                "analytics_forecast",
            )
        ),
    ),
    Invariant(
        "analytics.segments_know_their_size",
        "A segment has as many members as it says",
        "SELECT g.id FROM analytics_segment g LEFT JOIN (SELECT id, count(*) AS members"
        " FROM analytics_member_segments, unnest(inside) AS id GROUP BY id) counted USING (id)"
        " WHERE g.retired_at IS NULL AND g.members <> coalesce(counted.members, 0)",
    ),
    Invariant(
        "analytics.lines_belong_to_a_purchase",
        "No item line without its purchase",
        "SELECT l.purchase_id FROM analytics_purchase_line l LEFT JOIN analytics_purchase p ON p.id = l.purchase_id"
        " WHERE p.id IS NULL",
    ),
    Invariant(
        "analytics.behaviour_is_counted_by_day",
        "What is kept of a person's behaviour was counted: the rows are dropped by the month, the counts stay",
        f"SELECT told.person_id FROM (SELECT person_id, count(*) AS rows FROM analytics_behaviour"
        " WHERE person_id IS NOT NULL GROUP BY person_id) told LEFT JOIN (SELECT person_id,"
        f" sum({' + '.join(COUNTED_AS.values())}) AS rows FROM analytics_behaviour_day"
        " GROUP BY person_id) counted USING (person_id) WHERE told.rows > coalesce(counted.rows, 0)",
    ),
    Invariant(
        "analytics.behaviour_of_nobody_erased",
        "Nothing is kept of what somebody did who was erased",
        'SELECT d.person_id, d."on" FROM analytics_behaviour_day d JOIN people_member m ON m.id = d.person_id'
        " WHERE m.erased_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM events_pending p"
        " JOIN events_event e ON e.id = p.event_id WHERE e.name = 'people.MemberErased')",
    ),
    Invariant(
        "analytics.lists_are_of_somebody",
        "A suggestion is a product for a person, who is not held out; nobody erased has any, or was shown anything",
        "SELECT s.person_id FROM analytics_suggestion s LEFT JOIN people_member m ON m.id = s.person_id"
        " LEFT JOIN catalog_product p ON p.id = s.product_id LEFT JOIN analytics_listed l ON l.person_id = s.person_id"
        " WHERE m.id IS NULL OR m.person_id <> m.id OR p.id IS NULL OR l.is_held_out IS NOT FALSE"
        " UNION ALL SELECT m.id FROM people_member m WHERE m.erased_at IS NOT NULL"
        " AND (EXISTS (SELECT 1 FROM analytics_suggestion s WHERE s.person_id = m.id)"
        " OR EXISTS (SELECT 1 FROM analytics_showing w WHERE w.person_id = m.id))"
        " AND NOT EXISTS (SELECT 1 FROM events_pending p"
        " JOIN events_event e ON e.id = p.event_id WHERE e.name = 'people.MemberErased')",
    ),
]


def invariants() -> list[Invariant]:
    """Every promise, with the rows that would break it."""
    return [*_PROMISES, _lake_agrees()]


def _lake_agrees() -> Invariant:
    """What the last night found is in its file: the lake is compared once a day, not by the audit."""
    nights = (lake.nightly() or {} for lake in lakes(Path(settings.LIUKE_HOME)))
    members = sorted({int(m) for night in nights for m in night.get("drift", {}).get("named", [])})
    return Invariant(
        "analytics.facts_equal_the_lake",
        "Last night the running figures of every member equalled a count of the lake",
        f"SELECT member_id FROM unnest(ARRAY{members}::bigint[]) AS drifted (member_id)",
    )
