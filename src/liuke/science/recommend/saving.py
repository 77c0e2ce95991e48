"""A fitted recommender as one .npz file, without pickles: a file from elsewhere runs no code."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuke.science.errors import InvalidInput
from liuke.science.recommend.choosing import Settings
from liuke.science.recommend.complements import Complements
from liuke.science.recommend.habits import Habits
from liuke.science.recommend.recommender import Likeness, Recommender
from liuke.science.recommend.views import Views

VERSION = 1
_PARTS = {"habits": Habits, "likeness": Likeness, "complements": Complements, "views": Views}


def save(recommender: Recommender, file: Path) -> None:
    """Write ``file``; the folder must exist."""
    arrays: dict[str, NDArray[Any]] = {}
    for field in fields(recommender):
        value = getattr(recommender, field.name)
        if field.name in _PARTS:
            for part in fields(value):
                arrays[f"{field.name}.{part.name}"] = getattr(value, part.name)
        elif isinstance(value, np.ndarray):
            arrays[field.name] = value
    told = {"version": VERSION, "as_of_day": recommender.as_of_day}
    arrays["told"] = np.array(json.dumps({**told, "settings": asdict(recommender.settings)}))
    with file.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def load(file: Path) -> Recommender:
    """What ``save`` wrote. Raises InvalidInput for another file."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            held = {name: arrays[name] for name in arrays.files}
        told = json.loads(str(held.pop("told")))
        if told["version"] != VERSION:
            raise InvalidInput(f"a recommender of version {told['version']} is not read here")
        parts = {
            name: kind(**{each.name: held.pop(f"{name}.{each.name}") for each in fields(kind)})
            for name, kind in _PARTS.items()
        }
        settings = Settings(**told["settings"])
        return Recommender(**held, **parts, settings=settings, as_of_day=told["as_of_day"])
    except (AttributeError, EOFError, KeyError, TypeError, ValueError, OSError) as wrong:
        if isinstance(wrong, InvalidInput | FileNotFoundError):
            raise
        raise InvalidInput(f"{file.name} holds no recommender") from wrong
