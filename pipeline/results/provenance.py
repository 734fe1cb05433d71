"""What made a result: versions, parameters, seed and the inputs' checksums."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    *("numpy", "scipy", "numba", "pandas", "pyarrow", "xarray", "netCDF4", "h5py", "scikit-learn"),
    *("torch", "pydantic", "matplotlib", "jinja2", "snakemake"),
)


def collect(
    parameters: Mapping[str, Any],
    inputs: Iterable[Mapping[str, str]],
    started: str | None = None,
) -> dict[str, Any]:
    """Return what provenance.json holds.

    Versions are read from the installed packages, none of which is imported for it.

    Args:
        parameters: the study's parameters as plain values.
        inputs: one {recording, source, sha256} per recording; other keys are left out.
        started: time at which the run began (ISO 8601, UTC); now by default.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    kept = ("recording", "source", "sha256")
    return {
        "phiscale": version("phiscale"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in PACKAGES},
        "study": dict(parameters),
        "seed": parameters.get("seed"),
        "inputs": [{key: str(item.get(key, "")) for key in kept} for item in inputs],
        "started": started or now,
        "finished": now,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
