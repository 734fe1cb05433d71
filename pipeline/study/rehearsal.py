"""What a run will make of a recording as far as its states: preprocessed, grouped and binarized as the study asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.raster import runs_of
from pipeline.base.recording import frames_of
from pipeline.base.seeds import derive
from pipeline.binarize.states import binarize_windows
from pipeline.study.check_windows import check_carried
from pipeline.study.checked import Checked
from pipeline.study.study import Study
from pipeline.traces.ensembles import group, group_as
from pipeline.traces.preprocess import preprocess
from pipeline.traces.shared import share_units

MOST = 10_000_000  # values (frames × neurons) of a recording that are looked at
KEPT = 40_000_000  # of all recordings that share their units
SIMULATED = 8_000_000  # neurons times frames of all recordings that a check simulates: some 4 s of processor time


@dataclass
class Rehearsal:
    """Recordings on their way to states, each step made once for all studies that ask for it in the same way.

    Attributes:
        waiting: preprocessed recordings and windows whose units are made with those of others, by study (its place
            among those that are checked) and recording.
        sampled: recordings of which only a part was looked at.
        made: results and errors, by what was asked for.
        held: values that wait.
        simulated_size: neurons times frames of the recordings that were simulated.
    """

    waiting: dict[int, dict[str, tuple[xr.Dataset, pd.DataFrame]]] = field(default_factory=dict)
    sampled: set[str] = field(default_factory=set)
    made: dict[str, xr.Dataset | PhiscaleError] = field(default_factory=dict)
    held: int = 0
    simulated_size: float = 0.0

    def recording(
        self,
        study: Study,
        place: int,
        recording: str,
        dataset: xr.Dataset,
        windows: pd.DataFrame,
        findings: Checked,
        made_as: Mapping[str, dict[str, object]] | None = None,
    ) -> None:
        """Make the states of a recording, and note what stands in their way.

        Args:
            study: the study.
            place: of this study among those that are checked.
            recording: name.
            dataset: the Recording.
            windows: its stretches.
            findings: where faults and notes go.
            made_as: what the recording itself was made of, where that differs between studies.
        """
        p = study.parameters
        part = self._sample(recording, dataset, windows)
        steps = {**(made_as or {}), "preprocess": p.preprocess.model_dump(mode="json")}
        dff = self._made(recording, steps, lambda: preprocess(part, **steps["preprocess"]))
        if isinstance(dff, PhiscaleError):
            _note(recording, dff, findings)
        elif p.ensembles.grouping == "recording":
            steps |= {"ensembles": p.ensembles.model_dump(mode="json"), "seed": {"seed": p.seed}}
            grouped = self._made(recording, steps, lambda: _grouped(study, recording, dff))
            self._states(study, recording, grouped, windows, steps, findings)
        elif self.held + dff["dff"].size <= KEPT:
            self.held += dff["dff"].size
            self.waiting.setdefault(place, {})[recording] = dff, windows

    def simulated(self, study: Study, place: int, recording: str, windows: pd.DataFrame, findings: Checked) -> None:
        """Simulate a recording as the run will, and make its states; see `recording`."""
        from pipeline.simulation.parameters import CONDITIONS
        from pipeline.simulation.recordings import simulate_recording

        p, settings = study.parameters, study.parameters.simulate
        if not set(windows["condition"]) <= set(CONDITIONS):
            return  # told once, for the study
        frames = windows["condition"].nunique() * settings.duration_s * settings.rate_hz
        size = frames * settings.recorded * settings.neurons_per_ensemble
        if self.simulated_size + size > SIMULATED:
            findings.notes.append(f"recording {recording!r}: too long to be simulated for a check")
            return
        self.simulated_size += size
        index, seed = study.subject_index(recording), derive(p.seed, "simulate")
        given = (index, study.row(recording)["subject"], recording, windows, p.conditions, seed)
        fields = settings.model_dump(mode="json")
        how: dict[str, dict[str, object]] = {"simulate": fields, "drawn": {"seed": seed}}
        made = self._made(recording, how, lambda: simulate_recording(*given, **fields)[0])
        if isinstance(made, PhiscaleError):
            _note(recording, made, findings)
        else:
            self.recording(study, place, recording, made, windows, findings, how)

    def shared(self, study: Study, place: int, findings: Checked) -> None:
        """Make the states of the recordings that share their units; see `recording`."""
        p, waiting = study.parameters, self.waiting.pop(place, {})
        among: dict[str, list[str]] = {}
        for name in study.names:
            among.setdefault(p.study if p.ensembles.grouping == "study" else study.row(name)["subject"], []).append(
                name
            )
        for name, members in among.items():
            if not set(members) <= set(waiting):
                continue  # what is wrong with the others is told already
            chosen, k = study.chosen_neurons(members[0]), p.ensembles.iit
            try:
                units = share_units(
                    [waiting[member][0] for member in members],
                    n_ensembles=k,
                    method=p.ensembles.method,
                    neurons=chosen,
                    among=p.ensembles.grouping,
                    name=name,
                    seed=derive(p.seed, "shared_units", name, str(k)),
                )
            except PhiscaleError as error:
                findings.problems.found.extend(_problems(f"{p.ensembles.grouping} {name!r}", error))
                continue
            for member in members:
                dff, windows = waiting[member]
                self._states(study, member, group_as(dff, units), windows, None, findings)

    def _states(
        self,
        study: Study,
        recording: str,
        grouped: xr.Dataset | PhiscaleError,
        windows: pd.DataFrame,
        steps: dict[str, dict[str, object]] | None,
        findings: Checked,
    ) -> None:
        """Binarize, and note what stands in the way; on a part of a recording that is no fault yet."""
        if isinstance(grouped, PhiscaleError):
            return _note(recording, grouped, findings)
        wanted, n = study.parameters.ensembles, grouped.sizes["ensemble"]
        if n < wanted.iit and wanted.method != "region":
            findings.problems.found.append(_too_few(recording, n, wanted.iit))
            return None
        rule = study.parameters.binarize.model_dump(mode="json")
        how = {**steps, "binarize": rule, "windows": windows.to_dict("list")} if steps else None
        states = self._made(recording, how, lambda: binarize_windows(grouped, windows, **rule))
        if not isinstance(states, PhiscaleError):
            if recording not in self.sampled:
                _check_transitions(study, recording, states, findings)
            return None
        if recording not in self.sampled:
            return _note(recording, states, findings)
        told = "; ".join(f"{problem.where}: {problem.what}" for problem in _problems(recording, states))
        findings.notes.append(f"in the part of recording {recording!r} that was looked at: {told}")
        return None

    def _sample(self, recording: str, dataset: xr.Dataset, windows: pd.DataFrame) -> xr.Dataset:
        """Return the recording, or, where it is long, the first frames of each window, each as long as its share."""
        n = dataset["fluorescence"].size
        if n <= MOST:
            return dataset
        self.sampled.add(recording)
        keep = np.zeros(dataset.sizes["time"], bool)
        for inside in frames_of(windows, dataset["time"].values).values():
            frames = np.flatnonzero(inside)
            keep[frames[: max(2, int(len(frames) * MOST / n))]] = True
        return dataset.isel(time=keep).load()

    def _made(
        self, recording: str, how: Mapping[str, object] | None, make: Callable[[], xr.Dataset]
    ) -> xr.Dataset | PhiscaleError:
        """Return what a step gives, or why it cannot; made once for what was asked for in the same way."""
        key = json.dumps([recording, how], sort_keys=True, default=str)
        if how is not None and key in self.made:
            return self.made[key]
        found: xr.Dataset | PhiscaleError
        try:
            found = make()
        except PhiscaleError as error:
            found = error
        if how is not None:
            self.made[key] = found
        return found

    def forget(self) -> None:
        """Let go of what belongs to a recording that is done with."""
        self.made.clear()


def _check_transitions(study: Study, recording: str, states: xr.Dataset, findings: Checked) -> None:
    """Check the transitions that there are: frames that no unit can do without may be fewer than the clock has."""
    for window in map(str, states["window_name"].values):
        part = states.isel(frame=np.flatnonzero(states["window"].values == window))
        runs = runs_of(part["segment"].values, part.sizes["frame"], part["matched"].values)
        check_carried(study, f"recording {recording!r}, window {window}", runs, part.sizes["unit"], findings)


def _grouped(study: Study, recording: str, dff: xr.Dataset) -> xr.Dataset:
    p, k = study.parameters, study.parameters.ensembles.iit
    seed = derive(p.seed, "ensembles", recording, str(k))
    return group(dff, n_ensembles=k, method=p.ensembles.method, neurons=study.chosen_neurons(recording), seed=seed)


def _note(recording: str, error: PhiscaleError, findings: Checked) -> None:
    findings.problems.found.extend(_problems(f"recording {recording!r}", error))


def _problems(where: str, error: PhiscaleError) -> list[Problem]:
    return [problem if isinstance(problem, Problem) else Problem(where, str(problem)) for problem in error.problems]


def _too_few(recording: str, n: int, units: int) -> Problem:
    return Problem(
        f"recording {recording!r} and ensembles.iit",
        f"{n} neurons with a usable signal are left for {units} units",
        "There would be fewer units than the study asks for",
        f"lower ensembles.iit to {n}" if n > 1 else "one neuron is no system: record several at the same time",
    )
