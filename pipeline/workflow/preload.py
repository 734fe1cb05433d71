"""What the fork server does once for all jobs (see `workers`).

It imports the stages and what they import when first used, and has the exact engine compiled, or loaded from its
cache: three jobs that start at once would each compile the same. A second process compiles half of it meanwhile.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import subprocess
import sys
import traceback

import numpy as np

from pipeline.workflow import compiling, stages

LAZY = (
    *("netCDF4", "matplotlib.figure", "matplotlib.backends.backend_agg", "scipy.stats", "sklearn.cluster"),
    *("torch", "torch._dynamo"),  # the second is imported by the first optimizer, for a second of each job
)


def preload() -> None:
    """Import every stage and the heavy libraries; what is not installed is told by the job that needs it."""
    names = [f"{stages.__name__}.{module.name}" for module in pkgutil.iter_modules(stages.__path__)]
    for name in (*LAZY, *names):
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def warm() -> None:
    """Call what is compiled on a system of three units, in this thread only (a server with threads must not fork)."""
    from pipeline.integration import integrate
    from pipeline.macro import coarse_grain
    from pipeline.tpm import estimate

    states = np.random.default_rng(0).random((400, 3)) < 0.5
    tpm = estimate(states.astype(np.uint8), draws=2)
    macro = coarse_grain(tpm, 2, method="exhaustive", random_groupings=2)
    for system in (tpm, macro):
        integrate(system, big_phi_draws=1, structures=1, threads=1)


def prepare() -> None:
    """Do both; a fault of the second is left to the jobs, which meet it again and tell it.

    Being interrupted ends the process at once: nobody waits for what it compiles.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    other = subprocess.Popen(
        [sys.executable, "-m", compiling.__name__],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    preload()
    try:
        compiling.systems()
        compiling.structures()
        other.wait()
        compiling.sampler()
        warm()
    except Exception:
        traceback.print_exc()
    finally:
        signal.signal(signal.SIGINT, before)


prepare()
