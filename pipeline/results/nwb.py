"""States of a recording, and what was computed of them, as a file of Neurodata Without Borders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import load, write_whole

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from pynwb import NWBFile, ProcessingModule

    from pipeline.results.reader import Results

UNKNOWN_START = datetime(1970, 1, 1, tzinfo=UTC)


def to_nwb(results: Results, recording: str, path: str | Path, session_start: datetime = UNKNOWN_START) -> Path:
    """Write the states of a recording to a new NWB file (an extra: `pip install 'phiscale[nwb]'`).

    The processing module `phiscale` holds, for each number of units k: `states_k4`, 0 and 1 of (frame, unit) at the
    times of the bins; `signal_k4`, what was compared with the thresholds; `activity_k4` of the ensembles, frame by
    frame; the tables `units_k4` (name, neurons, threshold of each window) and `neurons_k4` (which unit each neuron
    belongs to, and where it lies); and the table `phi` (see `Results.phi_values`). The intervals `windows` say
    which stretch is which window and condition.

    Args:
        results: of a study.
        recording: name of the recording.
        path: of the file, which is written whole or not at all.
        session_start: when the recording began; recordings do not know it. 1970 stands for unknown.

    Returns:
        The path.

    Raises:
        PhiscaleError: pynwb is not installed, or the study has no states of such a recording.
    """
    try:
        from pynwb import NWBHDF5IO, NWBFile
        from pynwb.file import Subject
    except ImportError as error:
        what, fix = "needs pynwb, which is not installed", "pip install 'phiscale[nwb]'"
        raise PhiscaleError(Problem("an NWB file", what, fix=fix)) from error
    found = sorted(results.layout.of("states", recording).parent.glob(f"{recording}-k*.nc"))
    if not found:
        names = ", ".join(sorted({key.recording for key in results.systems}))
        raise PhiscaleError(Problem(f"recording {recording!r}", "has no states", fix=f"take one of {names}"))
    rows = results.summary[results.summary["recording"] == recording]
    file = NWBFile(
        session_description=f"States of {recording} and their integrated information; study {results.folder.name}",
        identifier=f"{results.folder.name}/{recording}",
        session_start_time=session_start,
        subject=Subject(subject_id=str(rows["subject"].iloc[0])) if len(rows) else None,
    )
    module = file.create_processing_module("phiscale", "states of units, and integrated information of their TPMs")
    for states in found:
        k = states.stem.rpartition("-k")[2]
        _add_states(module, load(states), k)
        _add_ensembles(module, results.ensembles(recording, int(k)), k)
    values = results.phi_values()
    _add_table(
        module, "phi", "Integrated information [ibit] of each visited state", values[values.recording == recording]
    )
    _add_windows(file, results.layout.of("windows", recording))
    path = Path(path)

    def write(partial: Path) -> None:
        with NWBHDF5IO(partial, "w") as out:
            out.write(file)

    write_whole(path, write)
    return path


def _add_states(module: ProcessingModule, states: xr.Dataset, k: str) -> None:
    """States and signal of k units, and the table of the units."""
    from pynwb import TimeSeries

    names = ", ".join(map(str, states["unit"].values))
    for name, unit, what in (
        ("states", "1", "ON (1) and OFF (0)"),
        ("signal", str(states.attrs.get("signal_units", "1")), "what was compared with the threshold"),
    ):
        about = f"{what}; columns are {names}; bins of {states.attrs.get('bin_s', 0):g} s begin at the times"
        data, times = states[name].values, states["time"].values
        module.add(TimeSeries(name=f"{name}_k{k}", data=data, unit=unit, timestamps=times, description=about))
    columns: dict[str, Any] = {"unit": states["unit"].values.astype(str)}
    for window, thresholds in zip(states["window_name"].values, states["threshold"].values, strict=True):
        columns[f"threshold_{window}"] = thresholds
    _add_columns(module, f"units_k{k}", "Units, and their thresholds in each window", columns)


def _add_ensembles(module: ProcessingModule, ensembles: xr.Dataset, k: str) -> None:
    """Activity of k ensembles, and the table of the neurons."""
    from pynwb import TimeSeries

    activity = ensembles["activity"]
    about = f"Activity of ensembles {', '.join(map(str, ensembles['ensemble'].values))}"
    unit = str(activity.attrs.get("units", "1"))
    times = ensembles["time"].values
    module.add(TimeSeries(name=f"activity_k{k}", data=activity.values, unit=unit, timestamps=times, description=about))
    columns = {name: ensembles[name].values for name in ("neuron", "label", "x", "y", "region") if name in ensembles}
    _add_columns(module, f"neurons_k{k}", "Neurons, and the number of the unit that each belongs to", columns)


def _add_table(module: ProcessingModule, name: str, about: str, table: pd.DataFrame) -> None:
    _add_columns(module, name, about, {str(column): table[column].to_numpy() for column in table})


def _add_columns(module: ProcessingModule, name: str, about: str, columns: Mapping[str, Any]) -> None:
    """A table; text columns as text."""
    from hdmf.common import DynamicTable, VectorData

    made = []
    for column, values in columns.items():
        plain = [str(v) for v in values] if np.asarray(values).dtype.kind in "OUT" else np.asarray(values)
        made.append(VectorData(name=column, description=column, data=plain))
    module.add(DynamicTable(name=name, description=about, columns=made))


def _add_windows(file: NWBFile, path: Path) -> None:
    """Stretches of the windows as a table of intervals."""
    import pandas as pd
    from pynwb.epoch import TimeIntervals

    table = pd.read_csv(path, dtype={"recording": str, "window": str, "condition": str})
    intervals = TimeIntervals(name="windows", description="Stretches of each window, and their condition")
    intervals.add_column("window", "window of the study")
    intervals.add_column("condition", "condition of the window")
    for row in table.itertuples(index=False):
        intervals.add_interval(float(row.start_s), float(row.end_s), window=row.window, condition=row.condition)
    file.add_time_intervals(intervals)
