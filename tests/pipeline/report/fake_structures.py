"""Adds the integrated information of each window to an invented study, with the structures of its states."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from fake_results import COUPLING, FakeStudy, N
from fake_substrate import planted_pairs, stationary

import iitcore as iit
from pipeline.base import files
from pipeline.results.layout import Layout


def structure_of(condition: str, state: int = 0) -> iit.PhiStructure:
    """The Φ-structure of the units in a condition."""
    substrate = iit.Substrate(planted_pairs(COUPLING[condition]), units=tuple(f"e{i}" for i in range(N)))
    return iit.unfold(substrate.system(tuple(state >> u & 1 for u in range(N))), threads=1)


def with_structures(made: FakeStudy) -> FakeStudy:
    """Write phi/R.nc of every recording with results."""
    for recording in made.windows["recording"].unique():
        if not Layout(made.results).of("recording", recording).exists():
            continue
        groups = {}
        for condition in made.parameters["conditions"]:
            kept = [""] * 2**N
            for state in (0, 3):
                kept[state] = json.dumps(structure_of(condition, state).to_dict(), sort_keys=True)
            visits = np.round(400 * stationary(planted_pairs(COUPLING[condition]))).astype(int)
            values = {
                "phi_s": ("state", COUPLING[condition] * np.linspace(0.1, 0.5, 2**N)),
                "visits": ("state", visits),
                "structure": ("state", kept),
            }
            coords = {"state": np.arange(2**N), "unit": [f"e{i}" for i in range(N)]}
            groups[f"{condition}/micro-{N}"] = xr.Dataset(values, coords, {"history": "[]"})
        files.save_groups(groups, Layout(made.results).of("phi", recording))
    return made
