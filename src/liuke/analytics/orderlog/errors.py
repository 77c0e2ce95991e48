"""Why could this file not be read as an order log?

Each refusal is one English sentence: `says` is the template (so that it may be translated) and
`params` what goes into it. A refusal is about the file or the question; a line that is wrong
is a `BadLine` (see `lines.py`) and never stops the others.
"""

from __future__ import annotations

from .marking import gettext_noop


class UnreadableLog(Exception):
    """The parent of every refusal in this package."""

    says = gettext_noop("“%(file)s” cannot be read as an order log.")

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.says % params)


class NoSuchFile(UnreadableLog):
    says = gettext_noop("There is no file “%(file)s”.")


class NotAFile(UnreadableLog):
    says = gettext_noop("“%(file)s” is not a file: give the order log itself.")


class NotPermitted(UnreadableLog):
    says = gettext_noop("“%(file)s” may not be opened: give this user the right to read it.")


class EmptyLog(UnreadableLog):
    says = gettext_noop("“%(file)s” is empty.")


class NoLines(EmptyLog):
    says = gettext_noop("“%(file)s” has a header and no lines under it.")


class NotAnOrderLog(UnreadableLog):
    says = gettext_noop(
        "“%(file)s” is not a text table or a Parquet file (it looks like %(kind)s)."
    )


class Workbook(NotAnOrderLog):
    says = gettext_noop("“%(file)s” is %(kind)s: save the sheet as CSV (UTF-8) and import that.")


class TooFewColumns(NotAnOrderLog):
    says = gettext_noop(
        "“%(file)s” has %(count)d column(s): "
        "an order log needs at least a member, a date and an amount."
    )


class BrokenFile(UnreadableLog):
    says = gettext_noop(
        "“%(file)s” is damaged or cut short (%(kind)s): export or download it again."
    )


class UnknownEncoding(UnreadableLog):
    says = gettext_noop("There is no text encoding named “%(encoding)s”.")


class UnknownColumn(UnreadableLog):
    says = gettext_noop("“%(file)s” has no column “%(column)s”; it has: %(columns)s.")


class AmbiguousColumns(UnreadableLog):
    says = gettext_noop(
        "“%(file)s” has more than one column named “%(column)s”: "
        "give its number instead (%(numbers)s)."
    )


class ColumnUsedTwice(UnreadableLog):
    says = gettext_noop("Column “%(column)s” cannot be both the %(first)s and the %(second)s.")


class CannotTellColumns(UnreadableLog):
    says = gettext_noop("Which column of “%(file)s” holds the %(missing)s cannot be told: name it.")


class AmbiguousDates(UnreadableLog):
    says = gettext_noop(
        "“%(example)s” on line %(line)d of “%(file)s” may be read in more than one order "
        "(%(orders)s), and no other line decides it: say which."
    )


class MixedDates(AmbiguousDates):
    says = gettext_noop(
        "“%(file)s” mixes orders of day, month and year: "
        "line %(first)d cannot be read in the order of line %(second)d."
    )


class UnknownDateOrder(UnreadableLog):
    says = gettext_noop("There is no date order “%(order)s”: give dmy, mdy or ymd.")


class UnknownTimeZone(UnreadableLog):
    says = gettext_noop(
        "There is no time zone “%(timezone)s”: give an IANA name such as Asia/Shanghai."
    )


class UnknownCurrency(UnreadableLog):
    says = gettext_noop("“%(currency)s” is not a currency code: give three letters such as CNY.")


class UnknownDecimal(UnreadableLog):
    says = gettext_noop("The decimal sign is “.” or “,”, not “%(decimal)s”.")
