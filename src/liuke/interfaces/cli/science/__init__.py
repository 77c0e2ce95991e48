"""`liuke science`: the product's arithmetic on any order log, without a site.

Each command reads a file, prints its figures, and writes its predictions so that anyone can check them.
"""

from __future__ import annotations

import click

from liuke.interfaces.cli.science.churn import churn
from liuke.interfaces.cli.science.fit import fit
from liuke.interfaces.cli.science.recommend import recommend
from liuke.interfaces.cli.science.rfm import rfm
from liuke.interfaces.cli.science.uplift import uplift


@click.group()
def science() -> None:
    """The arithmetic on any order log, without a site."""


for _command in (churn, fit, recommend, rfm, uplift):
    _command.needs_database = False  # type: ignore[attr-defined]
    science.add_command(_command)
