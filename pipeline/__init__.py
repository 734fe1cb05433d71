"""From calcium-imaging recordings to integrated information across scales and states.

The package reads like the path of the data, one room per stage, and imports run from a room to those before it:

base        what every room builds on: faults, seeds, files, history, the Recording, rasters, registries
results     the files of a study: paths, tables, measures by name, reading them back
emergence   measures of a TPM as a whole
simulation  substrates of known causal structure, and recordings of them
ingest      files -> Recording, windows
traces      Recording -> ΔF/F -> activity of ensembles
binarize    activity -> states, ON or OFF
tpm         states -> unit TPM and its posterior draws
nulls       states -> surrogates in which one thing is absent
macro       unit TPM -> macro units and their TPM
encoder     learned multiscale dynamics
integration TPM -> phi of every draw, state and scale, of data and of surrogates
inference   phi -> summary, values of subjects, contrasts
multiverse  the same question over a grid of defensible choices
validation  estimates held against known truth
study       what the user writes, and checking it
report      the page
workflow    jobs
commands    what `phiscale` offers
"""

from typing import Any

__all__ = ["ROOMS", "load_results"]

ROOMS = (
    *("base", "results", "emergence", "simulation", "ingest", "traces", "binarize", "tpm", "nulls", "macro"),
    *("encoder", "integration", "inference", "multiverse", "validation", "study", "report", "workflow", "commands"),
)


def __getattr__(name: str) -> Any:
    """Import on first use: reading results needs pandas and xarray, a command's --help does not."""
    if name == "load_results":
        from pipeline.results.reader import load_results

        return load_results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
