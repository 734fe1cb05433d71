"""The history that every dataset carries: what was done to it, with which parameters, by which version."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr


def record(dataset: xr.Dataset, operation: str, /, **parameters: Any) -> xr.Dataset:
    """Note an operation in the history of a dataset.

    Args:
        dataset: what it was done to.
        operation: name of the function, e.g. "tpm.estimate".
        parameters: its parameters; what JSON has no word for is written as text.

    Returns:
        The dataset with one more entry in its attribute `history`, a JSON list of `operation`, `parameters` and the
        version `phiscale`.
    """
    history = json.loads(dataset.attrs.get("history", "[]"))
    history.append({"operation": operation, "parameters": parameters, "phiscale": version("phiscale")})
    return dataset.assign_attrs(history=json.dumps(history, sort_keys=True, default=str))
