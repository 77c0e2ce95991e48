"""`liuke report`: a page to forward."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from liuke.interfaces.cli.options import as_of_option, source_option

PAGES = {"zh-hans": "report.html", "en": "report.en.html"}


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the pages; made if it is not there.",
)
@as_of_option
@source_option
def report(out: Path, as_of: dt.date | None, source: str | None) -> None:
    """Write the report as one self-contained HTML page, in Chinese and in English."""
    from liuke.analytics.actions.evaluate import draw_report
    from liuke.analytics.queries import analysis_of, source_named
    from liuke.interfaces.ui.report import render_report

    found = source_named(source)
    content, _ = draw_report(source=found, as_of=as_of)
    analysis = analysis_of(found)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for language, name in PAGES.items():
            page = out / name
            page.write_text(
                render_report(content, language=language, analysis=analysis), encoding="utf-8"
            )
            click.echo(page)
    except OSError as refused:
        raise click.UsageError(f"{out} cannot be written: {refused.strerror}.") from refused
