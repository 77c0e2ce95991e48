"""What `analytics` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Invalid, NotFound


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


class UnreadableOrderLog(Invalid):
    """The file is not an order log we can read; the reader says why."""

    says = gettext_noop("%(reason)s")
