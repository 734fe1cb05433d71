"""`auto`: the estimator that the recordings of a study predict best with, each on data that it has not seen."""

from __future__ import annotations

from typing import ClassVar

from pipeline.tpm.average import Average


class Auto(Average):
    """The candidate that predicts left-out bins best, chosen once for all of a study (`pipeline.tpm.choice`).

    Of states that are given by themselves (`pipeline.tpm.estimate`) it is `average`.
    """

    name: ClassVar[str] = "auto"
    summary: ClassVar[str] = "the one of the others that predicts left-out bins of the study's recordings best"
    methods: ClassVar[str] = (
        "the method that predicted left-out bins of all recordings best, chosen among latent, average, "
        "logistic_pairwise, logistic and beta (families up to {family:d} averaged over; a common drive allowed: "
        "{drive})"
    )
