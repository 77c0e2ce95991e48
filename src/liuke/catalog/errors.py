"""What `catalog` refuses."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class UnknownProduct(NotFound):
    """No product has this reference."""

    says = gettext_noop("There is no such product.")


class UnknownVariant(NotFound):
    """No variant has this reference."""

    says = gettext_noop("There is no such variant.")


class UnknownScene(NotFound):
    """No scene has this key."""

    says = gettext_noop("There is no such scene.")


class UnknownKey(NotFound):
    """No card key has this number, or it belongs to somebody else."""

    says = gettext_noop("There is no such card key.")


class UnknownBatch(NotFound):
    """No batch has this reference."""

    says = gettext_noop("There is no such batch.")


# Products -----------------------------------------------------------------------------------------


class BadText(Invalid):
    """Missing, too long, or not to be printed."""

    says = gettext_noop("%(name)s has 1 to %(letters)s letters.")


class TextTooLong(Invalid):
    """Longer than there is room for."""

    says = gettext_noop("%(name)s has at most %(letters)s letters.")


class BadChoice(Invalid):
    """Not one of the words there are."""

    says = gettext_noop("%(word)s is not one of the choices.")


class BadNumber(Invalid):
    """Outside what makes sense."""

    says = gettext_noop("%(name)s is a whole number from %(least)s to %(most)s.")


class BadQuantityPrices(Invalid):
    """Not rising in number, or rising in price."""

    says = gettext_noop(
        "Quantity prices start at 2, rise in number, and never cost more each than the step before."
    )


class BadOrderForm(Invalid):
    """A question of the order form makes no sense."""

    says = gettext_noop("Question %(number)s of the order form: %(why)s")


class VariantNameTaken(Conflict):
    """Two variants of one name could not be told apart."""

    says = gettext_noop("This product already has a variant called %(name)s.")


class SceneTaken(Conflict):
    """Two scenes of one name could not be told apart."""

    says = gettext_noop("There is already a scene of this key or name.")


class WrongStockKind(Invalid):
    """Card keys are stocked as keys, everything else is counted or open, a bundle has parts."""

    says = gettext_noop("This kind of stock does not fit the product.")


class BadBundle(Invalid):
    """No parts, itself, another bundle, or somebody else's goods."""

    says = gettext_noop(
        "A bundle holds plain variants of the same merchant and kind, each named once."
    )


class NothingToSell(Conflict):
    """Listed without a variant to choose."""

    says = gettext_noop("Give the product a variant with a price first.")


# Stock --------------------------------------------------------------------------------------------


class OutOfStock(Conflict):
    """There is not as much as was wanted. `variant_id` is what was wanted."""

    says = gettext_noop("%(name)s is sold out, or there are not that many left.")
    variant_id: int = 0


class BadQuantity(Invalid):
    """None, or less."""

    says = gettext_noop("A quantity is at least 1.")


class HoldInUse(Conflict):
    """Something is held, or was handed out, under this token."""

    says = gettext_noop("Stock is already set aside for this.")


class UnknownHold(NotFound):
    """Nothing is held under this token: it ran out, or never was."""

    says = gettext_noop("Nothing is set aside for this any more.")


class StockTaken(Conflict):
    """What was handed out is not put back."""

    says = gettext_noop("This was handed out already.")


class NotCounted(Conflict):
    """Only counted stock can be set."""

    says = gettext_noop("The stock of this variant is not counted.")


class InStock(Conflict):
    """Nobody has to wait for what is there."""

    says = gettext_noop("This is in stock.")


# Card keys ----------------------------------------------------------------------------------------


class KeysRefused(Invalid):
    """Some lines of a file of card keys are no good, so nothing was taken in.

    `lines` are the first of them as (number of the line, code of what is wrong, another line or 0).
    """

    says = gettext_noop("%(count)s lines cannot be taken in, so nothing was imported.")
    lines: tuple[tuple[int, str, int], ...] = ()
    LINES_SHOWN: ClassVar[int] = 50


class NoKeys(Invalid):
    """A file with nothing in it."""

    says = gettext_noop("There is no card key in this.")


class UnreadableKeys(Invalid):
    """Neither UTF-8 nor GB18030."""

    says = gettext_noop("This is not a text file in UTF-8 or GB18030.")


class TooManyKeys(Invalid):
    """More than one import takes."""

    says = gettext_noop("One import takes at most %(most)s card keys.")


class NoKeyStock(Invalid):
    """Only a variant stocked as keys takes keys."""

    says = gettext_noop("This variant does not hold card keys.")


class KeyHeld(Conflict):
    """Somebody is paying for it."""

    says = gettext_noop("This card key is set aside for an order.")


class KeyEnded(Conflict):
    """Revoked or found bad before."""

    says = gettext_noop("This card key is out of use already.")


class ReasonMissing(Invalid):
    """Who looks at or ends a card key says why."""

    says = gettext_noop("Say why.")


class MayNotReveal(Forbidden):
    """A merchant sees their own unsold keys only, and a member what was delivered."""

    says = gettext_noop("You may not see this card key.")


class TooManyReveals(Unavailable):
    """Looking at stock key by key is stopped for a while."""

    says = gettext_noop("One login sees at most %(most)s card keys an hour. Try again later.")
