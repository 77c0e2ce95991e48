"""Every command of the product, by name."""

from __future__ import annotations

import click

from liuke.interfaces.cli.audit import audit
from liuke.interfaces.cli.bench import bench
from liuke.interfaces.cli.demo import demo
from liuke.interfaces.cli.events import events
from liuke.interfaces.cli.import_keys import keys
from liuke.interfaces.cli.import_orders import import_
from liuke.interfaces.cli.import_upload import upload
from liuke.interfaces.cli.key import key
from liuke.interfaces.cli.member import member
from liuke.interfaces.cli.operator import operator
from liuke.interfaces.cli.rebuild import rebuild
from liuke.interfaces.cli.report import report
from liuke.interfaces.cli.retain import retain
from liuke.interfaces.cli.sandbox import sandbox
from liuke.interfaces.cli.science import science

import_.add_command(keys)
import_.add_command(upload)

commands: dict[str, click.Command] = {
    "audit": audit,
    "bench": bench,
    "demo": demo,
    "events": events,
    "import": import_,
    "key": key,
    "member": member,
    "operator": operator,
    "rebuild": rebuild,
    "report": report,
    "retain": retain,
    "sandbox": sandbox,
    "science": science,
}
