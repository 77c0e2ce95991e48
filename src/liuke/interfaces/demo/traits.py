"""The hidden truth about an invented member: what they need, how often, what drives them away, what brings them back.

Drawn once, kept apart from the database (`living.Truth`), so that tests can ask whether the engine finds it.
"""

from __future__ import annotations

from dataclasses import dataclass

from liuke.base import chance

# scene: (how many members come for it, median days between two needs, how regular: shape of the gamma)
NEEDS = {
    "games": (0.38, 16.0, 1.6),
    "phone": (0.24, 29.0, 6.0),
    "films": (0.18, 31.0, 4.0),
    "shopping": (0.10, 24.0, 1.2),
    "software": (0.06, 60.0, 1.5),
    "services": (0.04, 35.0, 1.3),
}
_SPREAD = 0.55  # members of one scene differ: lognormal
_STRAY = 0.15  # how often somebody looks outside their own scene


@dataclass(frozen=True)
class Traits:
    """One member. Shares and probabilities are between 0 and 1.

    `hazard` is the chance to be through with us after any order, `trouble_sensitivity` the one after an order that went
    wrong; `contact_reaction` is the chance that a message which reaches them wakes somebody who is through.
    """

    phone: str
    joins_on_day: int
    scene: str
    gap_days: float
    regularity: float
    price_sensitivity: float
    trouble_sensitivity: float
    hazard: float
    contact_reaction: float
    looks_at_once: float

    def next_gap(self) -> float:
        """Days until the next need."""
        return chance.source().gammavariate(self.regularity, self.gap_days / self.regularity)

    def scene_now(self) -> str:
        """What it is about this time."""
        lot = chance.source()
        return lot.choice(list(NEEDS)) if lot.random() < _STRAY else self.scene


def draw(number: int, days: int) -> Traits:
    """The `number`th member of a simulation of so many days."""
    lot = chance.source()
    scenes = list(NEEDS)
    scene = lot.choices(scenes, [NEEDS[name][0] for name in scenes])[0]
    _, gap, regularity = NEEDS[scene]
    return Traits(
        phone=f"1990{number:07}",
        joins_on_day=int(days * (1 - lot.random() ** 0.6) * 0.97),  # a shop that grows
        scene=scene,
        gap_days=gap * lot.lognormvariate(0, _SPREAD),
        regularity=regularity,
        price_sensitivity=lot.betavariate(2, 3),
        trouble_sensitivity=lot.betavariate(3, 4),
        hazard=min(0.9, lot.betavariate(1.4, 6.8)),
        contact_reaction=lot.betavariate(1.5, 6),
        looks_at_once=lot.betavariate(5, 1.5),
    )
