"""Checks of a recording's neurons: those that the study names exist, and they can be grouped as it asks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import xarray as xr

from pipeline.base.arrays import Floats
from pipeline.base.recording import LARGEST_MOUSE_MM, POSITION
from pipeline.ingest.assembling import told
from pipeline.study.checked import Checked
from pipeline.study.study import Study

BLOCK = 256  # neurons that are looked at at once


def check_choice(study: Study, recording: str, names: list[str], findings: Checked) -> None:
    """Check the neurons that the study chooses.

    Args:
        study: the study.
        recording: name.
        names: of all its neurons.
        findings: where faults go.
    """
    p, subject = study.parameters, study.row(recording)["subject"]
    asked = study.chosen_neurons(recording)
    chosen = names if asked is None else asked
    absent = [name for name in chosen if name not in names]
    if absent:
        findings.problems.add(
            f"recording {recording!r} and ensembles.neurons.{subject}",
            f"there is no neuron {', '.join(absent)}",
            "The units would differ between recordings of one subject",
            f"its neurons are {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}",
        )
    elif p.ensembles.method == "none" and len(chosen) > p.ensembles.iit:
        findings.problems.add(
            f"recording {recording!r}, ensembles.method and ensembles.iit",
            f"{len(chosen)} neurons are to be units of their own, but ensembles.iit allows {p.ensembles.iit}",
            "A choice among them would be arbitrary",
            f"choose {p.ensembles.iit} of them in ensembles.neurons.{subject}, or raise ensembles.iit",
        )
    elif len(chosen) < p.ensembles.iit and p.ensembles.method != "region":
        findings.problems.add(
            f"recording {recording!r} and ensembles.iit",
            f"has {len(chosen)} neurons for {p.ensembles.iit} units",
            "There would be fewer units than the study asks for",
            f"lower ensembles.iit to {len(chosen)}"
            if len(chosen) > 1
            else "one neuron is no system: several have to be recorded at the same time",
        )


def note_read(study: Study, recording: str, dataset: xr.Dataset, findings: Checked) -> None:
    """Note what was read of a file, where there was something to decide.

    Args:
        study: the study.
        recording: name.
        dataset: the Recording.
        findings: where notes go.
    """
    found, where = told(dataset), f"recording {recording!r}"
    size = f"{dataset.sizes['neuron']} neurons × {dataset.sizes['time']} frames"
    rate = float(dataset.attrs["sampling_rate_hz"])
    findings.read[recording] = {
        **{"source": str(found.get("source", "")), "dataset": found.get("dataset", "")},
        **{"neurons": dataset.sizes["neuron"], "frames": dataset.sizes["time"], "rate_hz": rate},
    }
    if found.get("dataset"):
        findings.notes.append(f"{where}: {size} at {rate:.6g} Hz, read from {found['dataset']} of {found['source']}")
    findings.notes.extend(f"{where}: {remark}" for remark in found.get("said", ()))
    if found.get("subject") and found["subject"] != study.row(recording)["subject"]:
        own = study.row(recording)["subject"]
        findings.notes.append(f"{where}: the file names the subject {found['subject']}, the sheet {own!r}")
    kinds = {"dff": "ΔF/F, from which the baseline is taken off already", "spikes": "spikes, which have no baseline"}
    if found.get("kind") in kinds and study.parameters.preprocess.kind == "fluorescence":
        findings.notes.append(f"{where}: these are {kinds[found['kind']]}: set preprocess.kind to dff")


def check_neurons(study: Study, recording: str, dataset: xr.Dataset, findings: Checked) -> None:
    """Check that the neurons can be grouped as the study asks and carry a signal.

    Args:
        study: the study.
        recording: name.
        dataset: the Recording.
        findings: where faults and notes go.
    """
    where = f"recording {recording!r}"
    asked = study.chosen_neurons(recording)
    chosen = [str(name) for name in dataset["neuron"].values] if asked is None else asked
    _check_grouping(study, where, len(chosen), dataset, findings)
    _check_constant(where, chosen, dataset, findings)
    empty = [
        name
        for entry in json.loads(dataset.attrs.get("history", "[]"))
        for name in entry["parameters"].get("neurons_left_out", [])
    ]
    if empty:
        findings.notes.append(f"{where}: left out, having no value at all: {', '.join(empty)}")
    _note_size(where, dataset, findings)


def _note_size(where: str, dataset: xr.Dataset, findings: Checked) -> None:
    """Note a field that is larger than a mouse's brain: right in a human head, and else the wrong unit."""
    axes = {axis: dataset[axis].values for axis in POSITION if axis in dataset.coords}
    spans = {axis: np.ptp(place[np.isfinite(place)]) for axis, place in axes.items() if np.isfinite(place).any()}
    if max(spans.values(), default=0.0) > LARGEST_MOUSE_MM:
        listed = " × ".join(f"{span:.3g}" for span in spans.values())
        findings.notes.append(
            f"{where}: the positions span {listed} mm, as in a human head; if this is a smaller brain, they are µm or "
            "pixels, and have to be mm"
        )


def _check_grouping(study: Study, where: str, n_neurons: int, dataset: xr.Dataset, findings: Checked) -> None:
    """Check that the neurons have what the ensembles are made by."""
    p = study.parameters.ensembles
    if p.method == "position" and n_neurons > p.iit and bool(np.isnan(dataset["x"].values).any()):
        findings.problems.add(
            f"{where} and ensembles.method",
            "neurons have no position",
            "They cannot be grouped by it",
            "give the column positions, or group by activity",
        )
    if p.method == "region" and not any(str(region) for region in dataset["region"].values):
        findings.problems.add(
            f"{where} and ensembles.method",
            "neurons have no region label",
            "They cannot be grouped by it",
            "give regions in the file of positions, or group by activity",
        )


def _span(values: Floats) -> float:
    """Return the largest value less the smallest: a deviation is not 0 where numbers were rounded to be summed."""
    return float(np.nanmax(values) - np.nanmin(values))


def _traces(dataset: xr.Dataset) -> Iterator[tuple[str, Floats]]:
    """Yield the name and the trace of each neuron, which are read some at a time."""
    for first in range(0, dataset.sizes["neuron"], BLOCK):
        part = dataset["fluorescence"][:, first : first + BLOCK]
        yield from zip(map(str, part["neuron"].values), part.values.T, strict=True)


def _check_constant(where: str, chosen: list[str], dataset: xr.Dataset, findings: Checked) -> None:
    """Check that what is taken for neurons varies, as neurons do."""
    wanted = set(chosen)
    for name, values in _traces(dataset):
        if name not in wanted:
            continue
        if _span(values) == 0:
            findings.problems.add(
                f"{where}, neuron {name}",
                "is constant",
                "It carries no information, and a unit made of it has no states",
                "remove it from the recording",
            )
        elif len(values) > 2 and bool((np.diff(values) > 0).all()):
            findings.problems.add(
                f"{where}, neuron {name}",
                "increases from frame to frame throughout, as a clock or a counter does",
                "It is no activity, and would be a unit or a part of one",
                "name it as time (time_s), or leave it out with drop",
            )
