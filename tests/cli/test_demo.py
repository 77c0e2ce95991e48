"""The demo's year: lived through actions, clean to the last fen, and its hidden truth is in no table."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pytest

from liuke.interfaces.demo.traits import Traits
from tests.databases import run_liuke

pytestmark = pytest.mark.django_db
SIZE = ("--members", 45, "--days", 110)


def rows(where: str, sql: str) -> list[Any]:
    with psycopg.connect(where) as connection:
        return connection.execute(sql).fetchall()


def traits_in_tables(where: str) -> set[str]:
    """Hidden traits that have a column somewhere."""
    hidden = {each.name for each in fields(Traits)} - {"phone", "scene"}
    columns = rows(
        where, "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    return hidden & {name for (name,) in columns}


def check_visits(where: str) -> None:
    """Who bought had come, more often than they bought, and each visit stands in its month."""
    came = "SELECT person_id FROM analytics_behaviour_day WHERE logins > 0"
    buyers = "SELECT DISTINCT person_id FROM analytics_behaviour WHERE kind = 'buy'"
    never = rows(where, f"SELECT count(*) FROM ({buyers}) b WHERE person_id NOT IN ({came})")
    assert (never, rows(where, "SELECT 1 FROM analytics_behaviour_other")) == ([(0,)], [])
    visits = rows(where, f"SELECT count(*) FROM ({came}) visits")
    assert visits > rows(where, "SELECT count(*) FROM orders_order WHERE paid_at IS NOT NULL")


def test_the_demo_lives_through_actions_and_keeps_its_truth_apart(
    spare: str, tmp_path: Path
) -> None:
    def liuke(*words: object) -> tuple[str, str]:
        code, out, err = run_liuke(spare, *words, home=tmp_path)
        assert code == 0, err
        return out, err

    _, told = liuke("demo", "--no-serve", *SIZE)
    assert all(f" sign in as {name} with: " in told for name in ("demo", "kefu", "shangjia"))
    assert json.loads(liuke("audit", "--json")[0])["clean"]

    # What the site knows of each member is what they did, and every order has an end or is under way.
    truth = json.loads((tmp_path / "demo" / "truth.json").read_text(encoding="utf-8"))
    assert len(truth) == 45
    paid = "SELECT m.reference, count(*) FROM orders_order o JOIN people_member m ON m.id = o.member_id"
    orders = dict(rows(spare, f"{paid} WHERE o.paid_at IS NOT NULL GROUP BY 1"))
    assert {one["member"]: one["orders"] for one in truth if one["orders"]} == orders
    assert sum(orders.values()) > 80
    returned = dict(
        rows(
            spare,
            "SELECT m.reference, count(*) FROM delivery_rejection r JOIN delivery_delivery d ON d.id = r.delivery_id"
            " JOIN orders_order o ON o.id = d.order_id JOIN people_member m ON m.id = o.member_id GROUP BY 1",
        )
    )
    assert returned == {one["member"]: one["troubles"] for one in truth if one["troubles"]}
    states = Counter(state for (state,) in rows(spare, "SELECT state FROM orders_order"))
    assert (states["completed"] > 50, states["cancelled"] > 0) == (True, True)

    # Members meet the site's analysis as purchases; traits meet nobody.
    bought = rows(
        spare, "SELECT count(*), sum(amount_fen) FROM analytics_purchase WHERE amount_fen > 0"
    )
    assert bought == rows(
        spare, "SELECT count(*), sum(payable_fen) FROM orders_order WHERE paid_at IS NOT NULL"
    )
    assert rows(
        spare, "SELECT -sum(amount_fen) FROM analytics_purchase WHERE amount_fen < 0"
    ) == rows(spare, "SELECT sum(refunded_fen) FROM orders_order WHERE refunded_fen > 0")
    assert not traits_in_tables(spare)

    check_visits(spare)

    # Again it is the same site, and no password is printed twice.
    before = rows(spare, "SELECT id, reference, state FROM orders_order ORDER BY id")
    _, told = liuke("demo", "--no-serve", *SIZE)
    assert (
        "sign in as demo with: the password told before, or: liuke operator password demo" in told
    )
    assert rows(spare, "SELECT id, reference, state FROM orders_order ORDER BY id") == before

    # A shop that is not the demo's is left alone.
    (tmp_path / "demo" / "truth.json").unlink()
    code, out, err = run_liuke(spare, "demo", "--no-serve", *SIZE, home=tmp_path)
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert rows(spare, "SELECT id, reference, state FROM orders_order ORDER BY id") == before
