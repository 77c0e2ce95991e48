"""Connect the switchboard once every room is loaded."""

from django.apps import AppConfig


class Reactions(AppConfig):
    name = "liuke.project"
    label = "liuke_project"

    def ready(self) -> None:
        from liuke import reactions

        reactions.connect()
