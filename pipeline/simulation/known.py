"""Files of what is true of recordings that were simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.base.errors import PhiscaleError, Problem

LARGEST = 2**28  # bytes


def read_truth(path: Path) -> dict[str, Any]:
    """Return the truth of a recording, as `simulate_recording` gives it.

    Args:
        path: of the JSON file.

    Raises:
        PhiscaleError: it cannot be read, or holds something else.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is larger than any truth")
        truth = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(path, f"cannot be read as JSON ({' '.join(str(error).split())})") from error
    lacking = [name for name in ("neuron_ensemble", "conditions") if not isinstance(_field(truth, name), dict)]
    if lacking:
        raise _unusable(path, f"holds no {' and no '.join(lacking)}")
    return dict(truth)


def _field(truth: Any, name: str) -> Any:
    return truth.get(name) if isinstance(truth, dict) else None


def _unusable(path: Path, what: str) -> PhiscaleError:
    consequence = "Estimates cannot be held against the truth"
    return PhiscaleError(Problem(str(path), what, consequence, "correct the column truth, or leave it empty"))
