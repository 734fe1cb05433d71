"""Small files as the programs of the field write them."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import scipy.io

SECONDS = "seconds"


def write_suite2p(
    folder: Path, values: np.ndarray, *, accepted: np.ndarray | None = None, fs: float | None = 10.0
) -> Path:
    """Write (frame, neuron) values as suite2p writes the folder of a plane; Fneu is half of F."""
    folder.mkdir(parents=True, exist_ok=True)
    n = values.shape[1]
    accepted = np.ones(n) if accepted is None else accepted
    np.save(folder / "F.npy", values.T.astype(np.float32))
    np.save(folder / "Fneu.npy", values.T.astype(np.float32) / 2)
    np.save(folder / "spks.npy", np.maximum(values.T, 0).astype(np.float32))
    np.save(folder / "iscell.npy", np.column_stack([accepted, np.full(n, 0.5)]))
    stat = [{"med": [10 * i, 20 * i], "ypix": np.arange(3), "npix": np.int64(3), "name": "x"} for i in range(n)]
    np.save(folder / "stat.npy", np.array(stat, dtype=object), allow_pickle=True)
    if fs is not None:
        ops = {"fs": fs, "tau": 1.0, "data_path": [folder], "meanImg": np.zeros((2, 2)), "nested": {"a": [1, "b"]}}
        np.save(folder / "ops.npy", np.array(ops, dtype=object), allow_pickle=True)
    return folder


def write_objects(path: Path, value: object) -> Path:
    """Write a .npy of objects whose pickle is that of `value`, whatever it is."""
    with path.open("wb") as file:
        header = {"descr": "|O", "fortran_order": False, "shape": ()}
        np.lib.format.write_array_header_1_0(file, header)
        pickle.dump(value, file)
    return path


def typed(parent: h5py.Group, name: str, kind: str, **attrs: object) -> h5py.Group:
    """Make a group of a type of NWB."""
    group = parent.require_group(name)
    group.attrs.update({"neurodata_type": kind, "namespace": "core", **attrs})
    return group


def write_series(group: h5py.Group, data: np.ndarray, rate: float | None, time: np.ndarray | None = None) -> None:
    """Write what every series of NWB has."""
    group["data"] = data
    group["data"].attrs.update({"conversion": 1.0, "unit": "a.u."})
    if time is not None:
        group["timestamps"] = time
    elif rate is not None:
        group["starting_time"] = 0.0
        group["starting_time"].attrs.update({"rate": rate, "unit": "seconds"})


def write_nwb(path: Path, values: np.ndarray, *, transposed: bool = False, rate: float = 10.0, **more: bool) -> Path:
    """Write (frame, neuron) values as pynwb does: series of ROIs, their table, a plane, a subject, epochs, units.

    The second ROI is no cell. `more`: neuropil, deconvolved, epochs, units, table (all but False are written).
    """
    n = values.shape[1]
    with h5py.File(path, "w") as file:
        file.attrs.update({"neurodata_type": "NWBFile", "nwb_version": "2.7.0"})
        file["general/subject/subject_id"] = "mouse7"
        plane = typed(file, "general/optophysiology/plane", "ImagingPlane")
        plane["indicator"], plane["location"], plane["imaging_rate"] = "GCaMP6s", "VISp", 7.5
        plane["grid_spacing"] = np.array([2e-6, 2e-6])
        plane["grid_spacing"].attrs["unit"] = "meters"
        masks = np.zeros((n, 8, 9))
        for i in range(n):
            masks[i, i, i + 1] = 1
        table = typed(file, "processing/ophys/ImageSegmentation/PlaneSegmentation", "PlaneSegmentation")
        table["id"], table["image_mask"], table["iscell"] = np.arange(n) + 100, masks, np.arange(n) != 1
        table["imaging_plane"] = h5py.SoftLink("/general/optophysiology/plane")
        layers = {"Fluorescence": values}
        layers |= {"Neuropil": values / 2} if more.get("neuropil", True) else {}
        layers |= {"Deconvolved": np.maximum(values, 0)} if more.get("deconvolved", True) else {}
        for name, layer in layers.items():
            typed(file, f"processing/ophys/{name}", "Fluorescence")
            group = typed(file, f"processing/ophys/{name}/plane0", "RoiResponseSeries")
            write_series(group, layer.T if transposed else layer, rate)
            if more.get("table", True):
                group["rois"] = np.arange(n)
                group["rois"].attrs["table"] = table.ref
        position = typed(file, "processing/behavior/Position/place", "SpatialSeries")
        write_series(position, np.zeros((len(values), 2)), rate)
        if more.get("epochs", True):
            epochs = typed(file, "intervals/epochs", "TimeIntervals")
            epochs["start_time"], epochs["stop_time"] = [0.0, 2.0, 3.0], [2.0, 3.0, 4.0]
            epochs["state"] = np.array(["awake", "iso flurane", "awake"], dtype=object)
        if more.get("units", True):
            units = typed(file, "units", "Units")
            units["id"], units["spike_times"], units["spike_times_index"] = [0, 1], [0.1, 0.5, 3.0, 0.2], [3, 4]
    return path


def write_caiman(path: Path, values: np.ndarray, *, rate: float = 10.0, dxy: float = 1.0, **more: object) -> Path:
    """Write (frame, component) values as `cnmf.save` does: C + YrA are the values, the second component is rejected."""
    n = values.shape[1]
    accepted = more.get("accepted", [i for i in range(n) if i != 1])
    with h5py.File(path, "w") as file:
        held = {"C": values.T - 0.25, "YrA": np.full(values.T.shape, 0.25), "S": np.maximum(values.T, 0)}
        for name, value in {**held, "idx_components": accepted, "dims": [5, 6]}.items():
            file[f"estimates/{name}"] = np.array(value) if value is not None else b"NoneType"
        file["estimates/F_dff"] = more.get("dff", b"NoneType")
        pixel = np.arange(n) * 5 + 2  # column by column: row 2, column i
        sparse = {"data": np.ones(n), "indices": pixel, "indptr": np.arange(n + 1), "shape": [30, n]}
        for name, value in sparse.items():
            file[f"estimates/A/{name}"] = np.array(value)
        file["params/data/fr"], file["params/data/dxy"] = rate, [dxy, dxy]
    return path


def write_spikefinder(path: Path, *traces: np.ndarray) -> Path:
    """Write cells as the challenge's preprocessed files do."""
    cells = np.empty((1, len(traces)), dtype=object)
    for i, trace in enumerate(traces):
        cells[0, i] = {"calcium": trace[None], "spikes": np.zeros((1, len(trace))), "fps": 100.0}
    scipy.io.savemat(path, {"data": cells})
    return path
