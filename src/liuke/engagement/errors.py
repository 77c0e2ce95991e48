"""What `engagement` refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Invalid, NotFound, Unavailable


class UnknownPlan(NotFound):
    """No plan has this reference."""

    says = gettext_noop("There is no such plan.")


class UnknownRun(NotFound):
    """No run has this reference."""

    says = gettext_noop("There is no such run.")


class UnknownTemplate(NotFound):
    """No plan template has this key."""

    says = gettext_noop("There is no plan template named %(key)s. Known: %(known)s")


class BadPlan(Invalid):
    """A field of a plan that cannot be."""

    says = gettext_noop("The plan cannot be saved: %(reason)s")


class BadText(Invalid):
    """A text of a plan that could not be written for every member; the subclasses say why."""

    says = gettext_noop("This text cannot be written for every member.")


class BrokenBraces(BadText):
    """A brace that opens or closes nothing."""

    says = gettext_noop(
        "There is a brace without its partner near “%(near)s”. Write {{ or }} for a plain one. Known: %(known)s"
    )


class UnknownVariable(BadText):
    """A name in braces that we cannot fill in."""

    says = gettext_noop("{%(variable)s} is not known. You may write: %(known)s")


class NeedsFallback(BadText):
    """Some members have no such thing, and the text does not say what to write then."""

    says = gettext_noop(
        "Not every member has {%(variable)s}. Say what to write instead: {%(variable)s|…}. Known: %(known)s"
    )


class TextTooLong(BadText):
    """Written out, it could be longer than the channel carries."""

    says = gettext_noop(
        "Written out, this text could have %(letters)s letters; the channel takes %(most)s."
    )


class TextMissing(BadText):
    """A plan has to say something, and an e-mail has a subject."""

    says = gettext_noop("There is nothing to say: write a text, and for e-mail a subject.")


class BadOutreachPolicy(Invalid):
    """Limits that contradict each other, or would allow more than one contact a week."""

    says = gettext_noop("This policy is not possible: %(reason)s")


class PlanIsRetired(Conflict):
    """A retired plan is kept to be looked at."""

    says = gettext_noop("This plan is retired. Make a new one.")


class PlanIsRunning(Conflict):
    """A plan with an open run cannot be put away."""

    says = gettext_noop("This plan is running. Stop the run first.")


class AlreadyRanToday(Conflict):
    """One run a day and plan."""

    says = gettext_noop("This plan has already run today.")


class RunIsNot(Conflict):
    """The run is in another state than was thought."""

    says = gettext_noop("This run is in another state by now. Look at it again.")


class NobodyInAudience(Conflict):
    """Nobody fits the audience today."""

    says = gettext_noop("Nobody is in this audience today, so nothing was started.")


class ConsentNotAsked(Conflict):
    """Nobody in the audience agreed to this channel: the operator has not said how members agreed."""

    says = gettext_noop(
        "Nobody in this audience has agreed to be reached this way. Say first how the members of"
        " %(source)s agreed."
    )


class TooManyMembers(Conflict):
    """More members than the brake lets through unseen; confirming the number releases it."""

    says = gettext_noop(
        "This would reach %(treated)s members, more than the %(most)s the brake allows. Confirm"
        " the number to go on."
    )


class EverythingIsStopped(Unavailable):
    """The kill switch is on."""

    says = gettext_noop("All outreach is stopped. Switch it on again first.")


class UnknownMessage(NotFound):
    """No message has this reference, or it is somebody else's."""

    says = gettext_noop("There is no such message.")


class BadToken(NotFound):
    """An opt-out link that we did not write."""

    says = gettext_noop("This link is not complete. Open it again from the message.")


class UnknownCall(NotFound):
    """No call has this reference."""

    says = gettext_noop("There is no such call.")


class CallTaken(Conflict):
    """Another agent was quicker, or the call is over."""

    says = gettext_noop("Somebody else has taken this call.")


class CallIsOff(Conflict):
    """The member said no since, has trouble, or their week is over: nobody may ring for this any more."""

    says = gettext_noop("This call is off: the member may not be rung for it any more.")


class TooEarlyToRing(Conflict):
    """The member is left in peace at this hour; `when` is on their own clock."""

    says = gettext_noop("It is not a time to ring this member. From %(when)s it is.")


class CallIsNotYours(Conflict):
    """Only who has taken a call may write down what came of it."""

    says = gettext_noop("Take this call first.")


class BadCallOutcome(Invalid):
    """A word for an outcome, or for why they stay away, that we do not know."""

    says = gettext_noop("This cannot be written down about a call: %(word)s")


class BadNextTry(Invalid):
    """The next try would be in the past, or after the week that this one took."""

    says = gettext_noop("Choose a moment within the next six days.")


class UnknownFlag(NotFound):
    """No open flag has this number."""

    says = gettext_noop("There is no such flag, or it is closed already.")


class WhyMissing(Invalid):
    """A flag without a reason helps nobody."""

    says = gettext_noop("Write down what the trouble is.")


def broken_rule(refused: Exception) -> str:
    """The constraint that refused a row, in words."""
    diagnosis = getattr(refused.__cause__, "diag", None)
    return str(getattr(diagnosis, "constraint_name", None) or refused).replace("_", " ")
