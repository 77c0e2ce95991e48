"""What the demo refuses."""

from django.utils.translation import gettext_noop

from liuke.base.errors import Conflict


class NotEmpty(Conflict):
    """This site has merchants that no finished simulation brought."""

    says = gettext_noop(
        "This site has a shop already. The demo needs one without: set LIUKE_HOME to another folder, "
        "or delete this one when an earlier demo was stopped half-way."
    )
