"""What goes wrong with a lake, each in one sentence."""

from __future__ import annotations


class LakeTrouble(Exception):
    """The parent of all of them. `says` is the template, `params` what goes into it."""

    says = "The lake cannot be used."

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.says % params)


class LakeNotWritten(LakeTrouble):
    """The disk is full, or may not be written to."""

    says = "The lake at %(place)s could not be written (%(reason)s); what it held before is intact."


class LakeDamaged(LakeTrouble):
    """A file that the manifest names is missing, cut short, or is no Parquet file."""

    says = (
        "The lake at %(place)s is damaged (%(reason)s); build it anew: liuke rebuild lake --afresh"
    )


class UnknownEngine(LakeTrouble):
    """Not an address that we know how to reach."""

    says = (
        "LIUKE_ANALYTICS_URL is %(url)s; what there is: duckdb:, spark:local[2], spark://host:7077."
    )


class NoSpark(LakeTrouble):
    """Spark was asked for, and it or its Java is not there."""

    says = (
        "LIUKE_ANALYTICS_URL names Spark, which does not start (%(reason)s);"
        " it needs Java 17 and: pip install 'liuke[spark]'"
    )


class NothingInTheLake(LakeTrouble):
    """There is no purchase up to the day asked for."""

    says = "The lake at %(place)s holds no order up to the day that was asked for."
