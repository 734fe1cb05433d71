"""A sound study of two recordings, in any of the formats, before something happens to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
import yaml
from made_files import write_caiman, write_nwb, write_suite2p

from pipeline.base import files
from pipeline.base.recording import Origin, build

RATE_HZ, FRAMES, NEURONS = 10.0, 1200, 4
FORMATS = ("csv", "npy", "mat", "hdf5", "netcdf", "nwb", "caiman", "suite2p", "spikes")
ENDINGS = {"csv": ".csv", "npy": ".npy", "mat": ".mat", "hdf5": ".h5", "netcdf": ".nc", "nwb": ".nwb"}
ENDINGS |= {"caiman": ".hdf5", "suite2p": "", "spikes": ".npz"}
HEADER = "recording\twindow\tcondition\tstart_s\tend_s\n"


@dataclass
class Sound:
    """A sound study in a folder, before something happens to it.

    Attributes:
        folder: that holds it.
        parameters: of study.yaml, written last.
        format: of its first recording; the second is text.
        row: of the sheet, of the first recording.
        text: study.yaml in place of the parameters; None: they are written.
    """

    folder: Path
    parameters: dict[str, Any]
    format: str
    row: dict[str, str]
    text: bytes | None = None

    @property
    def path(self) -> Path:
        """The first recording."""
        return self.folder / self.row["path"]

    def write(self) -> None:
        """Write study.yaml."""
        text = self.text
        if text is None:
            text = yaml.safe_dump(self.parameters, allow_unicode=True).encode("utf-8", "surrogatepass")
        (self.folder / "study.yaml").write_bytes(text)


def values_of(rng: np.random.Generator, neurons: int = NEURONS) -> np.ndarray:
    """Return traces (frame, neuron) with transients, above 0."""
    decay = np.exp(-np.arange(30) / 7)
    onsets = (rng.random((FRAMES, neurons)) < 0.04) * 8.0
    noise = rng.normal(size=(FRAMES, neurons))
    return 30 + noise + np.column_stack([np.convolve(c, decay)[:FRAMES] for c in onsets.T])


def write_values(path: Path, kind: str, values: np.ndarray, rate: float = RATE_HZ) -> None:
    """Write traces in one of `FORMATS`."""
    if kind == "csv":
        header = ",".join(f"n{i}" for i in range(values.shape[1]))
        np.savetxt(path, values, delimiter=",", header=header, comments="", fmt="%.5g")
    elif kind == "npy":
        np.save(path, values)
    elif kind == "mat":
        scipy.io.savemat(path, {"traces": values})
    elif kind == "hdf5":
        with h5py.File(path, "w") as file:
            stored = {"chunks": (100, values.shape[1]), "compression": "gzip"} if len(values) >= 100 else {}
            file.create_dataset("traces", data=values, **stored)
    elif kind == "netcdf":
        time = np.arange(len(values)) / rate
        files.save(build(values, time=time, sampling_rate_hz=rate, origin=Origin(recording="a", subject="b")), path)
    elif kind == "nwb":
        write_nwb(path, values, rate=rate, neuropil=False, deconvolved=False, units=False)
    elif kind == "caiman":
        write_caiman(path, values, rate=rate, accepted=list(range(values.shape[1])))
    elif kind == "suite2p":
        write_suite2p(path, values, fs=rate)
    else:
        np.savez(path, counts=np.maximum(values - 30, 0))


def sound(folder: Path, rng: np.random.Generator, kind: str) -> Sound:
    """Write a sound study of two recordings of 120 s, two windows in each; the first is of the given format."""
    row = {"recording": "m1", "subject": "m1", "path": f"m1{ENDINGS[kind]}", "format": kind, "rate_hz": "10"}
    if kind == "nwb":
        row["keep"] = "all"
    write_values(folder / row["path"], kind, values_of(rng))
    write_values(folder / "m2.csv", "csv", values_of(rng))
    windows = [
        f"{m}\t{c}\t{c}\t{60 * i}\t{60 * i + 60}\n" for m in ("m1", "m2") for i, c in enumerate(("awake", "iso"))
    ]
    (folder / "windows.tsv").write_text(HEADER + "".join(windows))
    parameters = {
        **{"study": "s", "conditions": ["awake", "iso"], "results": str(folder / "results")},
        **{"preprocess": {"kind": "dff"}, "ensembles": {"method": "none", "iit": 4}},
        **{"binarize": {"method": "median", "min_frames": 50}, "tpm": {"method": "logistic"}},
    }
    study = Sound(folder, parameters, kind, row)
    write_rows(study)
    return study


def write_rows(study: Sound, more: dict[str, str] | None = None) -> None:
    """Write recordings.tsv."""
    rows = [study.row | (more or {}), {"recording": "m2", "subject": "m2", "path": "m2.csv", "format": "csv"}]
    rows[1]["rate_hz"] = "10"
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(names), *("\t".join(row.get(name, "") for name in names) for row in rows)]
    (study.folder / "recordings.tsv").write_bytes(("\n".join(lines) + "\n").encode("utf-8", "surrogatepass"))
