"""Nulls of macro models: their surrogates were encoded as the data were, before this room sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from pipeline.base.history import record
from pipeline.base.parameters import filled
from pipeline.base.raster import encode
from pipeline.integration.batch import window_measures
from pipeline.integration.parameters import Iit
from pipeline.nulls.parameters import UNFOLDED
from pipeline.results.measures import MEASURES, OF_SURROGATES
from pipeline.tpm.estimation import estimated_with, point_estimates


def integrate_encoded(
    tpm: xr.Dataset, *, big_phi_surrogates: int = UNFOLDED, threads: int = 1, **iit: Any
) -> xr.Dataset:
    """Compute the measures of `integration.integrate` for the surrogates of a macro model.

    They are surrogates of the recording's activity, each encoded by a hierarchy that was trained on it just as that of
    the data, and made ON and OFF at thresholds of its own training fold; their TPMs are estimated as the data's was.

    Args:
        tpm: TPM of a macro model with `surrogate_states` (null, surrogate, frame, unit) and `surrogate_segment` (null,
            surrogate, frame).
        big_phi_surrogates: how many of each null are unfolded (the first ones).
        threads: of the exact engine; the numbers do not depend on it.
        **iit: fields of the section `iit`.

    Returns:
        As `integration.integrate_nulls`.

    Raises:
        PhiscaleError: a parameter that `iit` does not have.
    """
    options, how = filled(Iit, iit, "iit"), estimated_with(tpm)
    states = tpm["surrogate_states"].transpose("null", "surrogate", "frame", "unit").values
    segments = tpm["surrogate_segment"].transpose("null", "surrogate", "frame").values
    value = np.full((*states.shape[:2], len(OF_SURROGATES)), np.nan)
    for family, (rasters, labels) in enumerate(zip(states, segments, strict=True)):
        each = zip(rasters, labels, strict=True)
        p_on = np.stack([point_estimates(one, segments=runs, **how) for one, runs in each])
        visits = np.stack([np.bincount(code, minlength=2 ** states.shape[-1]) for code in encode(rasters)])
        found = window_measures(p_on, visits, options, big_phi_surrogates, threads)
        for at, name in enumerate(OF_SURROGATES):
            if name in found:
                value[family, : len(found[name]), at] = found[name]
    dataset = xr.Dataset(
        {"value": (("null", "surrogate", "measure"), value, {"long_name": "of the surrogate, encoded as the data"})},
        coords={
            "null": ("null", tpm["null"].values.astype(str)),
            "measure": ("measure", list(OF_SURROGATES)),
            "measure_units": ("measure", [MEASURES[name].unit for name in OF_SURROGATES]),
        },
        attrs=tpm.attrs,
    )
    return record(dataset, "integration.integrate_encoded", big_phi_surrogates=big_phi_surrogates)
