"""The history that every dataset carries: what was done to it, with which parameters, by which version."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import xarray as xr


def record(dataset: xr.Dataset, operation: str, **parameters: Any) -> xr.Dataset:
    """Return `dataset` with one more entry in its JSON `history` attribute (operation, parameters, package version)."""
    history = json.loads(dataset.attrs.get("history", "[]"))
    history.append({"operation": operation, "parameters": parameters, "phiscale": version("phiscale")})
    return dataset.assign_attrs(history=json.dumps(history, sort_keys=True, default=str))
