"""The format `simulate`: recordings that are simulated when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.ingest.reader import Reader
from pipeline.simulation.parameters import Simulate
from pipeline.simulation.recordings import CONDITIONS, default_windows, simulate_recording, simulate_study

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Simulated", "simulate_study"]


class Simulated(Reader):
    """The format `simulate`: recordings with known causal structure, made when they are read."""

    name = "simulate"
    summary = "no file: simulated with known causal structure (section simulate)"
    methods = (
        "a substrate of binary ensembles ({planted} of two planted pairs, updated every {step_s:g} s, "
        "couplings jittered by {jitter:.0%} between subjects; coupling {anesthesia_coupling:g} under anesthesia and "
        "{recovery_coupling:g} in recovery relative to awake) drove {neurons_per_ensemble} neurons per ensemble "
        "(participation {participation:g}), observed at {rate_hz:g} Hz through calcium kinetics, noise, neuropil, "
        "bleaching and motion"
    )

    def sentence(self, section: Mapping[str, Any]) -> str:
        """Return `methods` with the fields of the section `simulate`."""
        motifs = section["motifs"]
        return self.methods.format(**section, planted=f"{motifs} motif{'' if motifs == 1 else 's'}")

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Simulate the recording of a sheet's row; its truth is left out (see `simulate_recording`).

        Options of the row: `windows` (DataFrame), `seed`, `subject_index`, and the fields of `Simulate`. Without
        windows: awake, anesthesia and recovery, one after the other.
        """
        fields = {name: row[name] for name in Simulate.model_fields if name in row}
        windows = row.get("windows")
        if windows is None:
            windows = default_windows(str(row["recording"]), CONDITIONS, Simulate(**fields).duration_s)
        conditions = list(dict.fromkeys(windows["condition"]))
        return simulate_recording(
            int(row.get("subject_index", 0)),
            str(row["subject"]),
            str(row["recording"]),
            windows,
            conditions,
            int(row.get("seed", 0)),
            **fields,
        )[0]
