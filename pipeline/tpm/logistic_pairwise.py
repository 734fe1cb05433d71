"""Logistic estimator with interactions: each unit's next state regressed on the states of all and their products."""

from __future__ import annotations

from typing import ClassVar

from pipeline.tpm.logistic import Logistic


class LogisticPairwise(Logistic):
    """logit P(unit ON) = b + Σ_i w_i s_i + Σ_{i<j} w_ij s_i s_j, with s = -1 for OFF and +1 for ON."""

    name: ClassVar[str] = "logistic_pairwise"
    summary: ClassVar[str] = "regularised logistic regression per unit with pairwise terms"
    methods: ClassVar[str] = (
        "logistic regression of each unit's next state on the states of all units and their pairwise products (coded "
        "−1 and +1; Gaussian prior of precision {prior:g} on the weights; posterior mode, with draws from the Laplace "
        "approximation)"
    )
    pairwise: ClassVar[bool] = True
