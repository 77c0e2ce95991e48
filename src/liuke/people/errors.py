"""What `people` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class UnknownMember(NotFound):
    """No member has this reference."""

    says = gettext_noop("There is no such member.")


class ErasedMember(Conflict):
    """Nothing may be kept of someone who was erased."""

    says = gettext_noop("This member was erased; nothing is kept about them any more.")


# Those who work here ------------------------------------------------------------------------------


class LoginNameTaken(Conflict):
    """Login names are unique."""

    says = gettext_noop("Someone already signs in as %(name)s.")


class UnknownLogin(NotFound):
    """No login has this name."""

    says = gettext_noop("Nobody signs in as %(name)s.")


class UnknownRole(Invalid):
    """There are operators and agents."""

    says = gettext_noop("There is no role called %(role)s.")


class WeakPassword(Invalid):
    """The password validators refused it."""

    says = gettext_noop("This password is too weak: %(reasons)s")


class LastOperator(Conflict):
    """Somebody has to be able to do everything."""

    says = gettext_noop("%(name)s is the last operator; make someone else one first.")


class AuthenticatorInUse(Conflict):
    """A proven authenticator is dropped before another is set up."""

    says = gettext_noop("This login already has an authenticator.")


class NoAuthenticator(Conflict):
    """There is nothing to prove: none was set up."""

    says = gettext_noop("This login has no authenticator yet.")


# Codes --------------------------------------------------------------------------------------------


class WrongCode(Forbidden):
    """Wrong, too old, used before, tried too often, or asked for from elsewhere: the visitor is not told which."""

    says = gettext_noop("This code is wrong or no longer valid.")


class TooManyWrongCodes(Unavailable):
    """Guessing a second factor is stopped for a while."""

    says = gettext_noop("Too many wrong codes. Try again in %(minutes)s minutes.")


class CodeJustSent(Unavailable):
    """One code a minute for a number."""

    says = gettext_noop("A code was sent a moment ago. Wait a minute before asking for another.")


class TooManyCodes(Unavailable):
    """A number, a network, a device or the whole site has had its share."""

    says = gettext_noop("Too many codes were asked for. Try again later.")


class CodeNotSent(Unavailable):
    """The provider did not take the message."""

    says = gettext_noop("The code could not be sent. Try again in a minute.")


# What a member tells us ---------------------------------------------------------------------------


class NotAPhoneNumber(Invalid):
    """Only mainland mobile numbers are known."""

    says = gettext_noop("This is not a mobile number of mainland China.")


class PhoneTaken(Conflict):
    """A number belongs to one person."""

    says = gettext_noop("This number already belongs to another member.")


class NotAnEmailAddress(Invalid):
    """No mail could be sent there."""

    says = gettext_noop("This is not an e-mail address.")


class BadTimeZone(Invalid):
    """Not a name of the IANA list."""

    says = gettext_noop("%(zone)s is not a time zone.")


class BadBirthday(Invalid):
    """No year has this day."""

    says = gettext_noop("There is no such day in the year.")


class BadQuietHours(Invalid):
    """Both ends or none, and not the same moment."""

    says = gettext_noop("Quiet hours need a beginning and another end.")


# Consent ------------------------------------------------------------------------------------------


class BadConsent(Invalid):
    """A channel, purpose or basis that does not exist, or a click that says yes."""

    says = gettext_noop("This cannot be agreed to.")


class EmptyStatement(Invalid):
    """An attestation says how members agreed."""

    says = gettext_noop("Say how these members agreed.")


class UnknownAttestation(NotFound):
    """Nothing is attested under this number, or it was ended."""

    says = gettext_noop("There is no such attestation in force.")
