"""What does `catalog` promise about its tables?"""

from __future__ import annotations

from liuke.base.audit import Invariant


def invariants() -> list[Invariant]:
    """Every promise, with the rows that would break it."""
    return [
        Invariant(
            "catalog.no_key_is_delivered_twice",
            "No card key of a merchant was delivered in two rows, nor stands in two",
            "SELECT merchant_id, encode(merchant_index, 'hex') AS key FROM catalog_card_key"
            " WHERE state <> 'revoked' OR delivered_at IS NOT NULL"
            " GROUP BY merchant_id, merchant_index HAVING count(*) > 1",
        ),
        Invariant(
            "catalog.held_keys_have_a_hold",
            "A held key belongs to a hold that was not taken, a delivered one to a hold that was",
            "SELECT k.id FROM catalog_card_key k LEFT JOIN catalog_hold_line l ON l.id = k.line_id"
            " LEFT JOIN catalog_hold h ON h.id = l.hold_id WHERE k.line_id IS NOT NULL"
            " AND (h.id IS NULL OR (h.taken_at IS NOT NULL) <> (k.delivered_at IS NOT NULL)"
            " OR l.part_id <> k.variant_id)",
        ),
        Invariant(
            "catalog.holds_hold_what_they_say",
            "Every hold has lines, and a line of card keys has exactly as many keys as it says, numbered from 1",
            "SELECT h.id AS hold_id, l.id AS line_id FROM catalog_hold h"
            " LEFT JOIN catalog_hold_line l ON l.hold_id = h.id"
            " LEFT JOIN catalog_variant p ON p.id = l.part_id"
            " LEFT JOIN (SELECT line_id, count(*) AS keys, max(seq) AS last FROM catalog_card_key"
            " WHERE line_id IS NOT NULL GROUP BY line_id) k ON k.line_id = l.id"
            " WHERE l.id IS NULL OR (p.stock_kind = 'keys' AND (l.quantity, l.quantity)"
            " IS DISTINCT FROM (k.keys, k.last::bigint))",
        ),
        Invariant(
            "catalog.batches_keep_their_keys",
            "A batch has as many card keys as came in, all of its merchant and variant",
            "SELECT b.id FROM catalog_key_batch b LEFT JOIN (SELECT batch_id, count(*) AS keys,"
            " min(merchant_id) AS m1, max(merchant_id) AS m2, min(variant_id) AS v1, max(variant_id) AS v2"
            " FROM catalog_card_key GROUP BY batch_id) k ON k.batch_id = b.id"
            " WHERE (k.keys, k.m1, k.m2, k.v1, k.v2) IS DISTINCT FROM"
            " (b.key_count::bigint, b.merchant_id, b.merchant_id, b.variant_id, b.variant_id)",
        ),
        Invariant(
            "catalog.stock_fits_its_product",
            "Card keys, and nothing else, are stocked as keys; a bundle holds plain variants of its merchant and kind",
            "SELECT v.id FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id"
            " WHERE v.stock_kind <> 'bundle' AND (p.kind = 'card_key') <> (v.stock_kind = 'keys')"
            " UNION ALL SELECT v.id FROM catalog_variant v LEFT JOIN catalog_bundle_part c ON c.bundle_id = v.id"
            " LEFT JOIN catalog_variant o ON o.id = c.part_id"
            " WHERE (v.stock_kind = 'bundle') <> (c.id IS NOT NULL) OR o.stock_kind = 'bundle'",
        ),
        Invariant(
            "catalog.buyers_see_what_was_delivered",
            "No buyer was shown a card key before it was delivered",
            "SELECT a.id FROM catalog_key_access a JOIN catalog_card_key k ON k.id = a.key_id"
            " WHERE a.role = 'buyer' AND (k.delivered_at IS NULL OR a.at < k.delivered_at)",
        ),
    ]
