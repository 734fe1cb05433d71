"""The smallest study that goes through all stages: two animals of three neurons, two windows of 100 s each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

RATE_HZ, SECONDS, NEURONS = 4, 200, 3
PARAMETERS: dict[str, Any] = {
    **{"study": "s", "conditions": ["awake", "asleep"], "preprocess": {"kind": "dff"}},
    **{"ensembles": {"method": "none", "iit": NEURONS}, "tpm": {"method": "logistic", "draws": 4}},
    "binarize": {"method": "median", "bin_s": 0.5, "min_frames": 50},
    "macro": {"scales": [2], "restarts": 1, "steps": 3, "random_groupings": 2},
    "iit": {"big_phi_draws": 1, "structures": 0},
    "nulls": {"surrogates": 3, "big_phi_surrogates": 1, "detection": 0},
    "compare": {"bootstrap": 100, "permutations": 100, "repeats": 1},
}


def write_traces(path: Path, rng: np.random.Generator) -> None:
    """Write traces (frame, neuron) of neurons that follow one another round a ring."""
    bins = SECONDS * RATE_HZ // 2
    on = rng.random((bins, NEURONS)) < 0.4
    on[1:] |= np.roll(on[:-1], 1, axis=1) & (rng.random((bins - 1, NEURONS)) < 0.6)
    traces = np.repeat(on, 2, axis=0) + 0.1 * rng.standard_normal((2 * bins, NEURONS))
    np.save(path, traces.astype(np.float32))


def write_tiny(folder: Path, recordings: int = 2, **more: Any) -> Path:
    """Write the study into a folder, which is made where there is none, and return the path of study.yaml.

    Args:
        folder: that gets study.yaml, both sheets and the traces.
        recordings: of as many animals.
        **more: parameters in place of those above, sections whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng, half = np.random.default_rng(0), SECONDS // 2
    names = [f"m{i + 1}" for i in range(recordings)]
    for name in names:
        write_traces(folder / f"{name}.npy", rng)
    rows = [f"{name}\t{name}\t{name}.npy\tnpy\t{RATE_HZ}\n" for name in names]
    windows = [f"{name}\tawake\tawake\t0\t{half}\n{name}\tasleep\tasleep\t{half}\t{SECONDS}\n" for name in names]
    (folder / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\trate_hz\n" + "".join(rows))
    (folder / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\n" + "".join(windows))
    (folder / "study.yaml").write_text(yaml.safe_dump(PARAMETERS | more))
    return folder / "study.yaml"
