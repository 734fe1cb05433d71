"""The package of the name of the command: light, its names visible, each of them there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import phiscale

HEAVY = ("numba", "numpy", "pandas", "torch", "xarray", "matplotlib", "h5py")


def test_importing_it_is_light() -> None:
    code = f"import sys, phiscale; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_are_visible() -> None:
    assert {"load_results", "Substrate", "unfold", "to_pyphi", "to_nwb", "__version__"} <= set(dir(phiscale))
    assert set(dir(phiscale)) == set(phiscale.__all__)


@pytest.mark.parametrize("name", phiscale.__all__)
def test_every_name_is_there_and_explained(name: str) -> None:
    assert getattr(phiscale, name).__doc__


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "phiscale", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[-1]) == (0, phiscale.__version__)
