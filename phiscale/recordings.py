"""From files, or simulations, to states: recordings, ΔF/F, ensembles, ON and OFF."""

from pipeline.binarize import binarize, binarize_windows
from pipeline.ingest import open_recording
from pipeline.simulation import simulate_recording, simulate_study
from pipeline.traces import group, preprocess

__all__ = [
    "binarize",
    "binarize_windows",
    "group",
    "open_recording",
    "preprocess",
    "simulate_recording",
    "simulate_study",
]
