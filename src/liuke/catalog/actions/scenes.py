"""What the operator may set for the whole catalog: scenes, and how many card keys one login sees in an hour."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from liuke.base import clock
from liuke.catalog.errors import BadNumber, BadText, SceneTaken
from liuke.catalog.models import KeyPolicy, Scene
from liuke.people.actions import record_act
from liuke.people.models import Login

REVEALS_MAX = 1_000
_KEY = re.compile(r"[a-z][a-z0-9-]{0,23}")


@transaction.atomic
def save_scene(*, key: str, name_zh: str, name_en: str, position: int, by: Login | None) -> Scene:
    """Add the scene of this key, or change it.

    Raises:
        BadText: a name is missing or too long, or the key is no word of small letters.
        SceneTaken: another scene is called so.
    """
    scene = Scene(key=key, name_zh=name_zh.strip(), name_en=name_en.strip(), position=position)
    if not _KEY.fullmatch(key):
        raise BadText(name=gettext("The key"), letters=24)
    for name, letters in ((scene.name_zh, 24), (scene.name_en, 40)):
        if not 0 < len(name) <= letters or not name.isprintable():
            raise BadText(name=gettext("The scene's name"), letters=letters)
    try:
        with transaction.atomic():
            scene.save()
    except IntegrityError as taken:
        raise SceneTaken from taken
    record_act(by=by, verb="scene.save", about=key, name=scene.name_zh)
    return scene


@transaction.atomic
def set_reveals(*, reveals_an_hour: int, by: Login | None) -> None:
    """Let one login see so many card keys in an hour, from now on.

    Raises:
        BadNumber: none, or more than anybody looks at.
    """
    if not 1 <= reveals_an_hour <= REVEALS_MAX:
        raise BadNumber(name=gettext("Card keys an hour"), least=1, most=REVEALS_MAX)
    KeyPolicy.objects.create(reveals_an_hour=reveals_an_hour, set_at=clock.now())
    record_act(by=by, verb="policy.reveals", reveals=reveals_an_hour)
