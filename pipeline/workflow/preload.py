"""What the fork server imports once for all jobs (see `workers`): the stages, and what they import when first used."""

from __future__ import annotations

import importlib
import pkgutil

from pipeline.workflow import stages

LAZY = ("h5netcdf", "matplotlib.figure", "matplotlib.backends.backend_agg", "scipy.stats", "sklearn.cluster", "torch")


def preload() -> None:
    """Import every stage and the heavy libraries; what is not installed is told by the job that needs it."""
    names = [f"{stages.__name__}.{module.name}" for module in pkgutil.iter_modules(stages.__path__)]
    for name in (*LAZY, *names):
        try:
            importlib.import_module(name)
        except ImportError:
            continue


preload()
