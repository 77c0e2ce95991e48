"""`liuke import keys FILE`: card keys into stock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from liuke.catalog.errors import KeysRefused
    from liuke.catalog.models import Variant


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--product", required=True, metavar="REFERENCE", help="The product they are for.")
@click.option(
    "--variant", metavar="REFERENCE", help="Which variant; needed only when there are several."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def keys(file: Path, product: str, variant: str | None, yes: bool, as_json: bool) -> None:
    """Take in a file of card keys, one a line or as CSV; UTF-8 or GBK. All of them come in, or none.

    A key that the merchant has already, or that stands in the file twice, is refused with its line.
    """
    from liuke.catalog.actions import import_keys
    from liuke.catalog.errors import KeysRefused

    wanted = _variant(product, variant)
    if not yes:
        whole = f"{wanted.product.title} / {wanted.name}"
        click.confirm(f"Take the card keys of {file.name} in for {whole}?", abort=True, err=True)
    try:
        done = import_keys(variant=wanted, content=file.read_bytes(), by=None, name=file.name)
    except KeysRefused as refused:
        _tell_refused(refused, as_json)
        raise SystemExit(2) from refused
    figures: dict[str, Any] = {
        "batch": done.batch.reference,
        "product": wanted.product.reference,
        "variant": wanted.reference,
        "keys": done.keys,
        "sold_elsewhere": done.sold_elsewhere,
    }
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    click.echo(f"{done.keys:,} card keys came in as batch {done.batch.reference}.")
    if done.sold_elsewhere:
        click.echo(f"{done.sold_elsewhere:,} of them are at another merchant too: look into it.")


def _variant(product_reference: str, variant_reference: str | None) -> Variant:
    from liuke.catalog.errors import UnknownVariant
    from liuke.catalog.queries import product_by_reference, variant_by_reference, variants_of

    product = product_by_reference(product_reference)
    if variant_reference:
        variant = variant_by_reference(variant_reference)
        if variant.product_id != product.pk:
            raise UnknownVariant
        return variant
    held = list(variants_of(product).filter(stock_kind="keys"))
    if len(held) == 1:
        return held[0]
    if not held:
        raise click.UsageError(f"{product.title} has no variant that holds card keys.")
    known = "\n".join(f"  --variant {variant.reference}  {variant.name}" for variant in held)
    raise click.UsageError(f"{product.title} has several variants; say which:\n{known}")


def _tell_refused(refused: KeysRefused, as_json: bool) -> None:
    from liuke.interfaces.ui.catalog_words import line_problem

    says = [line_problem(line) for line in refused.lines]
    if as_json:
        lines = [{"line": number, "problem": code} for number, code, _ in refused.lines]
        told = {"error": refused.code, "count": refused.params["count"], "lines": lines}
        click.echo(json.dumps(told, indent=2))
        return
    for line in (str(refused), *says):
        click.echo(line, err=True)
    hidden = refused.params["count"] - len(says)
    if hidden:
        click.echo(f"... and {hidden:,} more.", err=True)
