"""The format `simulate`: recordings that are simulated when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.ingest.reader import Reader
from pipeline.simulation.drives import DRIVES
from pipeline.simulation.parameters import CONDITIONS, Simulate
from pipeline.simulation.recordings import default_windows, simulate_recording, simulate_study
from pipeline.simulation.registry import SUBSTRATES

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Simulated", "simulate_study"]


class Simulated(Reader):
    """The format `simulate`: recordings with known causal structure, made when they are read."""

    name = "simulate"
    summary = "no file: simulated with known causal structure (section simulate)"
    methods = (
        "a substrate of binary ensembles ({planted}, updated every {step_s:g} s; coupling {anesthesia_coupling:g} "
        "under anesthesia and {recovery_coupling:g} in recovery relative to awake{drifting}; {outside}) drove "
        "{neurons_per_ensemble} neurons per ensemble (participation {participation:g}{otherwise}), observed at "
        "{rate_hz:g} Hz, {phased}, through the kinetics of {kinetics}, noise, neuropil, bleaching and motion{beside}"
    )
    landscape = (
        "; opposed halves of each ensemble's neurons carried slow continuous dynamics of several scales besides "
        "({landscape:g} ΔF/F; the whole cortex with two wells, a stay in one of {landscape_stay_s:g} s awake, and one "
        "well under anesthesia)"
    )

    def sentence(self, section: Mapping[str, Any]) -> str:
        """Return `methods` with the fields of the section `simulate`."""
        substrate = SUBSTRATES[section["substrate"]]
        drive, share = DRIVES[section["drive"]], section["phase"]
        motifs = section["motifs"]
        return self.methods.format(
            **section,
            planted=substrate.methods.format(**section, plural="" if motifs == 1 else "s")
            + (f" and {section['hidden']} more that were not recorded" if section["hidden"] else ""),
            outside=drive.words.format(**section),
            drifting=", rates drifting within windows" if any(section["drift_logit"].values()) else "",
            beside=self.landscape.format(**section) if section["landscape"] else "",
            otherwise=f"; {', '.join(section['detection'])} seen otherwise" if section["detection"] else "",
            phased="at a random phase of these steps" if share == "random" else f"from {share:g} of a step on",
        )

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
