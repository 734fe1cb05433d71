"""Checks between recordings: neurons that are to be the same, conditions that stand in different recordings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import xarray as xr

from pipeline.base.compared import compared_together
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.study.checked import Checked
from pipeline.study.study import Study
from pipeline.traces.identity import Held, common_neurons

BLOCK = 2**24  # values (frames × neurons) that are read at once
BY_LEVEL = ("quantile", "median", "zscore", "otsu", "hmm")  # the threshold follows the level of what it is set in


def held_by(dataset: xr.Dataset) -> Held:
    """Return the neurons of a Recording, those usable that vary."""
    traces, step = dataset["fluorescence"], _step(dataset.sizes["time"])
    varies = [np.zeros(0, bool)]
    for first in range(0, traces.shape[1], step):
        values = traces[:, first : first + step].values
        varies.append(np.nanmax(values, axis=0) > np.nanmin(values, axis=0))
    return Held.by(dataset, np.concatenate(varies))


def _step(values_each: int) -> int:
    """Return how many neurons or frames of a recording are read at once."""
    return max(1, BLOCK // max(values_each, 1))


def digest(dataset: xr.Dataset) -> str:
    """Return what only recordings of the same values have in common.

    Args:
        dataset: the Recording.
    """
    traces, found, step = dataset["fluorescence"], hashlib.sha256(), _step(dataset.sizes["neuron"])
    for first in range(0, traces.shape[0], step):
        found.update(np.ascontiguousarray(traces[first : first + step].values).data)
    return found.hexdigest()


def check_copies(study: Study, findings: Checked) -> None:
    """Check that no recording is there twice: one animal must not count as two.

    Args:
        study: the study.
        findings: has the digest of each recording; where faults and notes go.
    """
    alike: dict[str, list[str]] = {}
    for name, held in findings.traces.items():
        alike.setdefault(held, []).append(name)
    for names in alike.values():
        subjects = list(dict.fromkeys(study.row(name)["subject"] for name in names))
        if len(subjects) > 1:
            findings.problems.add(
                f"recordings {', '.join(names)}",
                f"hold the same traces, and are said to be of the subjects {', '.join(subjects)}",
                "One subject would count as several",
                "correct the paths or the subjects",
            )
        elif len(names) > 1:
            findings.notes.append(f"recordings {', '.join(names)} hold the same traces")


def check_sharing(study: Study, held: Mapping[str, Held], findings: Checked) -> None:
    """Check what recordings share, or would have to.

    Args:
        study: the study.
        held: the neurons of each recording that could be opened.
        findings: where faults and notes go.
    """
    grouping = study.parameters.ensembles.grouping
    subjects: dict[str, list[str]] = {}
    for name in study.names:
        subjects.setdefault(study.row(name)["subject"], []).append(name)
    simulated = {study.row(name)["subject"] for name in study.names if study.row(name)["format"] == "simulate"}
    if grouping == "study" and len(simulated) > 1:
        findings.problems.add(
            "ensembles.grouping and format",
            f"{len(simulated)} subjects are simulated, each with neurons of its own",
            "They have no units in common",
            "set ensembles.grouping to subject or recording",
        )
        return
    sharing = {} if grouping == "recording" else subjects
    if grouping == "study":
        sharing = {study.parameters.study: study.names}
    for name, members in sharing.items():
        _check_common(study, f"{grouping} {name!r}", [n for n in members if n in held], held, findings)
    apart = {subject: names for subject, names in subjects.items() if _apart(study, names)}
    if apart:
        _advise(study, apart, findings)


def _check_common(study: Study, where: str, members: list[str], held: Mapping[str, Held], findings: Checked) -> None:
    if len(members) < 2:
        return
    try:
        common = common_neurons(
            where, [held[n] for n in members], study.chosen_neurons(members[0]), study.parameters.ensembles.iit
        )
    except PhiscaleError as error:
        findings.problems.found.extend(p if isinstance(p, Problem) else Problem(where, str(p)) for p in error.problems)
        return
    told = f"{where}: {len(common.neurons)} neurons are usable in all {len(members)} recordings and shared by them"
    if common.left_out:
        shown = ", ".join(common.left_out[:8]) + (", ..." if len(common.left_out) > 8 else "")
        told += f"; {len(common.left_out)} are left out ({shown}), and results will carry the flag neurons_not_shared"
    findings.notes.append(told)
    if held[members[0]].by_place:
        findings.notes.append(
            f"{where}: neurons are named by their place in the file (n0, n1, ...); that n5 is the same neuron in each "
            "recording is your word"
        )


def _apart(study: Study, names: list[str]) -> bool:
    """Whether conditions of a subject are to be compared that no recording of it holds both of."""
    return any(len(group) > 1 for group in compared_together({name: study.conditions_of(name) for name in names}))


def _advise(study: Study, apart: Mapping[str, list[str]], findings: Checked) -> None:
    """Say what follows where conditions stand in different recordings."""
    p = study.parameters
    shown = ", ".join(list(apart)[:5]) + (", ..." if len(apart) > 5 else "")
    if p.ensembles.grouping == "recording" and p.ensembles.method != "none":
        findings.notes.append(
            f"ensembles.grouping: conditions of {shown} stand in different recordings, each of which would have units "
            "of its own, so that contrasts compare other units; if the neurons are the same (names), set it to subject"
        )
    if p.binarize.method in BY_LEVEL:
        findings.notes.append(
            f"binarize.method: conditions of {shown} stand in different recordings, and thresholds are set in each "
            f"recording by itself, so that {p.binarize.method} takes differences in level between conditions away (as "
            "per_window does); what is left to compare is timing and order"
        )
