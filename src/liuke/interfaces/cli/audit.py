"""`liuke audit`: every promise the product makes about its database, checked now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from liuke.base.audit import Finding, Invariant


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def audit(as_json: bool) -> None:
    """Check every promise over the whole database; exit 1 when one is broken."""
    findings = check_everything()
    broken = [finding for finding in findings if finding.violations]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "clean": not broken,
                    "checked": len(findings),
                    "violations": {
                        finding.invariant.name: finding.violations for finding in broken
                    },
                    "examples": {finding.invariant.name: finding.examples for finding in broken},
                },
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        for finding in findings:
            mark = "BROKEN" if finding.violations else "ok"
            click.echo(f"{mark:<7}{finding.invariant.name}: {finding.invariant.promise}")
            for example in finding.examples:
                click.echo(f"       {example}")
        click.echo(f"{len(findings)} promises checked, {len(broken)} broken.")
    if broken:
        raise SystemExit(1)


def promises() -> list[Invariant]:
    """Every promise of every room, from the lowest floor up."""
    from liuke.analytics.invariants import invariants as of_analytics
    from liuke.catalog.queries import invariants as of_catalog
    from liuke.delivery.queries import invariants as of_delivery
    from liuke.engagement.invariants import invariants as of_engagement
    from liuke.events.queries import invariants as of_events
    from liuke.ledger.queries import invariants as of_ledger
    from liuke.membership.queries import invariants as of_membership
    from liuke.merchants.queries import invariants as of_merchants
    from liuke.orders.queries import invariants as of_orders
    from liuke.payments.queries import invariants as of_payments
    from liuke.people.queries import invariants as of_people

    base = (of_events, of_people, of_ledger, of_merchants)
    shop = (of_catalog, of_membership, of_orders, of_payments, of_delivery)
    return [promise for room in (*base, *shop, of_analytics, of_engagement) for promise in room()]


def check_everything() -> list[Finding]:
    """Every promise, and the rows that break it."""
    from django.db import transaction

    from liuke.base.audit import check

    with transaction.atomic():
        return [check(promise) for promise in promises()]
