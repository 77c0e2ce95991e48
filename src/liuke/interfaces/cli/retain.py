"""`liuke retain`: who stays, who is leaving, who is overdue, in the terminal or as JSON."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import click

from liuke.interfaces.cli.options import as_of_option, source_option


@click.command()
@as_of_option
@source_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, with every overdue member."
)
def retain(as_of: dt.date | None, source: str | None, as_json: bool) -> None:
    """Say who stays, who is leaving and who is overdue.

    Without --as-of the day is that of the last order in the log.
    """
    from liuke.analytics.actions.evaluate import draw_report
    from liuke.analytics.queries import source_named

    content, _ = draw_report(
        source=source_named(source), as_of=as_of, warnings_shown=None if as_json else 10
    )
    if as_json:
        click.echo(json.dumps(_summary(content), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_lines(content)))


def _summary(content: dict[str, Any]) -> dict[str, Any]:
    log = content["log"]
    return {
        "source": content["source"]["key"],
        "currency": content["source"]["currency"],
        "as_of": content["as_of"],
        "members": log["members"],
        "orders": log["orders"],
        "first_on": log["first_on"],
        "last_on": log["last_on"],
        "spent_fen": log["spent_fen"],
        "returned_fen": log["returned_fen"],
        "stages": {key: stage["members"] for key, stage in content["stages"].items()},
        "rfm_groups": {group["key"]: group["members"] for group in content["rfm"]["groups"]},
        "warnings": content["warnings"]["top"],
        "at_stake_fen": content["warnings"]["at_stake_fen"],
        "rules": content["rules"],
    }


def _lines(content: dict[str, Any]) -> list[str]:
    from liuke.base.money import money_text

    currency = content["source"]["currency"]
    log, stages, warnings = content["log"], content["stages"], content["warnings"]
    members = max(1, sum(stage["members"] for stage in stages.values()))
    lines = [
        f"{content['source']['title']}, as of {content['as_of']}: {log['members']:,} members,"
        f" {log['orders']:,} orders, {money_text(log['total_fen'], currency)}"
        f" ({log['first_on']} to {log['last_on']})",
        "",
        "Stage",
    ]
    lines += [
        f"  {key:<15}{stage['members']:>9,}  {stage['members'] / members:>6.1%}"
        for key, stage in stages.items()
    ]
    lines += ["", "RFM group"]
    lines += [
        f"  {group['key']:<15}{group['members']:>9,}  {money_text(group['total_fen'], currency):>16}"
        for group in content["rfm"]["groups"]
    ]
    stake = money_text(warnings["at_stake_fen"], currency, cents=False)
    lines += [
        "",
        f"Overdue against their own rhythm: {warnings['members']:,} members, {stake} at stake in",
    ]
    lines[-1] += f" {warnings['horizon_days']} days"
    lines += [
        f"  {row['name']:<18} usually every {row['rhythm_days']:.0f} days, away {row['days_since_last_order']};"
        f" {money_text(row['at_stake_fen'], currency)}"
        for row in warnings["top"]
    ]
    return lines
