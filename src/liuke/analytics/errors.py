"""What `analytics` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Invalid, NotFound, Unavailable


class NothingToImport(Invalid):
    """Every line was bad, or there was none."""

    says = gettext_noop(
        "Nothing was imported: none of the %(lines)s lines could be read. First reason: %(reason)s"
    )


class NoOrdersYet(NotFound):
    """A report was asked for before any order is known."""

    says = gettext_noop("There are no orders yet. Import a log first: liuke import orders FILE")


class NoOrdersBefore(NotFound):
    """The as-of date lies before the first order."""

    says = gettext_noop("There are no orders up to %(as_of)s; the first is of %(first_on)s.")


class UnknownSource(NotFound):
    """No log was imported under this name."""

    says = gettext_noop("There is no source named %(source)s. Known: %(known)s")


class SourceNotChosen(Invalid):
    """Several logs are known and none was named."""

    says = gettext_noop("There are several sources; name one with --source: %(known)s")


class CurrencyChanged(Conflict):
    """A source keeps the currency and time zone it was opened with."""

    says = gettext_noop(
        "%(source)s is kept in %(kept)s; this import says %(given)s. Use another --source name."
    )


class UnknownTimeZone(Invalid):
    """Not an IANA zone."""

    says = gettext_noop("There is no time zone named %(zone)s. Try Asia/Shanghai.")


class UnknownCurrency(Invalid):
    """Not three letters."""

    says = gettext_noop("%(currency)s is not a currency code. Try CNY or USD.")


class BadPolicy(Invalid):
    """Thresholds that contradict each other."""

    says = gettext_noop("These thresholds contradict each other: %(reason)s")


class UncoveredMembers(BadPolicy):
    """Every member is in exactly one group; `total` is in minor units."""

    says = gettext_noop(
        "No group would take a member whose last order was %(days)s days ago, with %(orders)s orders and a"
        " total of %(total)s (R%(r)s F%(f)s M%(m)s)."
    )


class UnreadableOrderLog(Invalid):
    """The file is not an order log we can read; the reader says why."""

    says = gettext_noop("%(reason)s")


class BadFilter(Invalid):
    """A key that is none, a value it cannot have, or bounds the wrong way round."""

    says = gettext_noop("Members cannot be filtered by %(key)s = %(value)s.")


class UnknownSegment(NotFound):
    """No segment has this reference."""

    says = gettext_noop("There is no such segment.")


class BadSegmentName(Invalid):
    """Empty, or too long to be a name."""

    says = gettext_noop("A segment needs a name of 1 to %(letters)s characters.")


class SegmentNameTaken(Conflict):
    """Two segments in use cannot have one name."""

    says = gettext_noop("There is already a segment named %(name)s.")


class SegmentInUse(Conflict):
    """The rule of another segment names it."""

    says = gettext_noop("The segment %(name)s is built on this one. Change that one first.")


class UnknownUpload(NotFound):
    """No file was dropped under this reference, or it was discarded."""

    says = gettext_noop("There is no such file; drop it again.")


class UploadEmpty(Invalid):
    """A file of no bytes."""

    says = gettext_noop("This file is empty.")


class UploadTooLarge(Invalid):
    """More than the page takes; the command line takes any size."""

    says = gettext_noop(
        "This file is larger than %(mb)s MB. On the server: liuke import orders FILE"
    )


class UploadNotKept(Unavailable):
    """The disk refused it."""

    says = gettext_noop("The file could not be stored: %(reason)s")


class UploadUnderWay(Conflict):
    """Its import was asked for before: by another page, another person, or a double click."""

    says = gettext_noop("The import of %(file)s has already been asked for.")


class BadImportOption(Invalid):
    """A way to read the file that is none."""

    says = gettext_noop("A file cannot be imported with %(key)s = %(value)s.")


class DateOrderUnclear(Invalid):
    """The first lines leave open which number is the day."""

    says = gettext_noop("A date such as %(example)s can be read in more than one order: say which.")


class ImportInterrupted(Unavailable):
    """The process died each time; the file is gone, nothing of it was taken in."""

    says = gettext_noop("The import was interrupted and nothing was taken in. Drop the file again.")


class LakeUnusable(Unavailable):
    """The lake could not be read or written, or its engine does not start; what it held is intact."""

    says = gettext_noop("%(reason)s")
