"""Who is moved, and by how much: T-, X- and DR-learners, each row foretold by models that have not seen it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from liuke.science.order_log import Bools, Floats, Indexes
from liuke.science.uplift import boosting, ridge
from liuke.science.uplift.ridge import Predictor

Fit = Callable[[Floats, Floats], Predictor]


@dataclass(frozen=True, slots=True)
class Base:
    """How outcomes and how effects are learnt."""

    name: str
    outcome: Fit
    effect: Fit


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows learnt from: ``features`` (rows, k), ``treated`` and ``outcome`` (rows,)."""

    features: Floats
    treated: Bools
    outcome: Floats

    def of(self, chosen: Indexes | Bools) -> Rows:
        return Rows(self.features[chosen], self.treated[chosen], self.outcome[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Foretold:
    """What models say of rows they have not seen: ``uplift`` by learner's name, and the ``outcome`` on average."""

    uplift: dict[str, Floats]
    outcome: Floats


def bases(rows: Rows) -> list[Base]:
    """Ridge always; boosted trees beside it where rows suffice."""
    is_rate = bool(((rows.outcome == 0) | (rows.outcome == 1)).all())
    found = [Base("ridge", ridge.fit_logistic if is_rate else ridge.fit_linear, ridge.fit_linear)]
    if len(rows.outcome) >= boosting.ROWS_LEAST and boosting.is_available():
        rate = boosting.fit_rate if is_rate else boosting.fit_amount
        found.append(Base("boosted", rate, boosting.fit_amount))
    return found


def foretell(base: Base, known: Rows, others: Floats, effects: Floats) -> Foretold:
    """The three learners, trained on ``known``, of ``others`` (rows, k); ``effects`` as `corrected_effects` of known.

    T: ``mu1 - mu0``, a model for each group. X: Künzel, Sekhon, Bickel, Yu, PNAS 116 (2019) 4156, with the share of
    treated as weight. DR: Kennedy, Electronic Journal of Statistics 17 (2023) 3008, algorithm 1.
    """
    share = float(known.treated.mean())
    mu1, mu0 = _arms(base, known)
    of_treated, of_control = known.of(known.treated), known.of(~known.treated)
    tau1 = base.effect(of_treated.features, of_treated.outcome - mu0(of_treated.features))
    tau0 = base.effect(of_control.features, mu1(of_control.features) - of_control.outcome)
    corrected = base.effect(known.features, effects)
    one, zero = mu1(others), mu0(others)
    return Foretold(
        {
            f"t_{base.name}": one - zero,
            f"x_{base.name}": share * tau0(others) + (1 - share) * tau1(others),
            f"dr_{base.name}": corrected(others),
        },
        share * one + (1 - share) * zero,
    )


def corrected_effects(base: Base, known: Rows) -> Floats:
    """``mu1 - mu0 + (T - e) / (e (1 - e)) (Y - mu_T)``, shape (rows,): its mean given the features is the effect.

    True whatever the models are, as the lot was drawn with share e: so the quickest base will do. The models of
    each half are trained on the other.
    """
    share = float(known.treated.mean())
    made = np.empty(len(known.outcome))
    for half in (slice(0, None, 2), slice(1, None, 2)):
        mine = np.zeros(len(known.outcome), dtype=np.bool_)
        mine[half] = True
        mu1, mu0 = _arms(base, known.of(~mine))
        rows = known.of(mine)
        one, zero = mu1(rows.features), mu0(rows.features)
        weight = np.where(rows.treated, 1 / share, -1 / (1 - share))
        made[mine] = one - zero + weight * (rows.outcome - np.where(rows.treated, one, zero))
    return made


def _arms(base: Base, known: Rows) -> tuple[Predictor, Predictor]:
    first, second = known.of(known.treated), known.of(~known.treated)
    return base.outcome(first.features, first.outcome), base.outcome(
        second.features, second.outcome
    )
