"""A sound study, and what can be wrong with it: each fault with the words that its message has to hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

RATE_HZ, SECONDS, NEURONS = 10.0, 300, 4

Fault = Callable[[Path, dict], None]


def write_study(folder: Path) -> dict:
    """Write a sound study of two recordings and return its parameters."""
    parameters = {
        "study": "sound",
        "conditions": ["awake", "anesthesia"],
        "results": str(folder / "results"),
        "ensembles": {"method": "none", "iit": 4},
        "preprocess": {"kind": "dff"},
    }
    (folder / "recordings.tsv").write_text(
        "recording\tsubject\tpath\tformat\trate_hz\nm1\tm1\tm1.csv\tcsv\t10\nm2\tm2\tm2.csv\tcsv\t10\n"
    )
    (folder / "windows.tsv").write_text(
        "recording\twindow\tcondition\tstart_s\tend_s\n"
        "m1\tawake\tawake\t0\t150\n"
        "m1\tanesthesia\tanesthesia\t150\t300\n"
        "m2\tawake\tawake\t0\t150\n"
        "m2\tanesthesia\tanesthesia\t150\t300\n"
    )
    for name in ("m1", "m2"):
        write_recording(folder / f"{name}.csv")
    return parameters


def write_recording(path: Path, change: Callable[[np.ndarray], None] | None = None) -> None:
    rng = np.random.default_rng(0 if path.stem != "m2" else 2)  # one subject is not another
    shape = int(RATE_HZ * SECONDS), NEURONS
    decay = np.exp(-np.arange(50) / RATE_HZ / 0.7)
    onsets = (rng.random(shape) < 0.03) * 10.0
    traces = rng.normal(size=shape) + np.column_stack([np.convolve(c, decay)[: shape[0]] for c in onsets.T])
    if change:
        change(traces)
    header = ",".join(f"n{i}" for i in range(NEURONS))
    np.savetxt(path, traces, delimiter=",", header=header, comments="", fmt="%.6g")


def edit(name: str, old: str, new: str) -> Fault:
    def fault(folder: Path, parameters: dict) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return fault


def put(**fields: object) -> Fault:
    def fault(folder: Path, parameters: dict) -> None:
        for name, value in fields.items():
            section, _, field = name.partition("__")
            if field:
                parameters.setdefault(section, {})[field] = value
            else:
                parameters[name] = value

    return fault


def drop(field: str) -> Fault:
    return lambda folder, parameters: parameters.pop(field)


def remove(name: str) -> Fault:
    return lambda folder, parameters: (folder / name).unlink()


def recording(change: Callable[[np.ndarray], None]) -> Fault:
    return lambda folder, parameters: write_recording(folder / "m1.csv", change)


def raw(name: str, content: bytes) -> Fault:
    return lambda folder, parameters: (folder / name).write_bytes(content)


def fill(columns: slice | int, value: float) -> Callable[[np.ndarray], None]:
    def change(traces: np.ndarray) -> None:
        traces[:, columns] = value

    return change


def stretch(first: int, last: int, neuron: int) -> Callable[[np.ndarray], None]:
    def change(traces: np.ndarray) -> None:
        traces[first:last, neuron] = np.nan

    return change


def simulated(*conditions: str, **fields: object) -> Fault:
    """Two simulated recordings, each with a window of 300 s per condition."""

    def fault(folder: Path, parameters: dict) -> None:
        put(conditions=list(conditions), simulate__duration_s=300.0, **fields)(folder, parameters)
        parameters["ensembles"] = {"iit": 4}
        rows = "".join(f"{m}\t{m}\t\tsimulate\n" for m in ("m1", "m2"))
        (folder / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\n" + rows)
        rows = "".join(
            f"{m}\t{c}\t{c}\t{300 * i}\t{300 * i + 300}\n" for m in ("m1", "m2") for i, c in enumerate(conditions)
        )
        header = "recording\twindow\tcondition\tstart_s\tend_s\n"
        (folder / "windows.tsv").write_text(header + rows)

    return fault


def positions(content: bytes) -> Fault:
    """A file of positions for the first recording."""

    def fault(folder: Path, parameters: dict) -> None:
        (folder / "where.csv").write_bytes(content)
        edit("recordings.tsv", "rate_hz\n", "rate_hz\tpositions\n")(folder, parameters)
        edit("recordings.tsv", "m1.csv\tcsv\t10", "m1.csv\tcsv\t10\twhere.csv")(folder, parameters)

    return fault


FAULTS: dict[str, tuple[Fault, list[str]]] = {
    "no recordings sheet": (remove("recordings.tsv"), ["recordings.tsv", "no such file"]),
    "no windows sheet": (remove("windows.tsv"), ["windows.tsv", "no such file"]),
    "field misspelt": (put(tmp={"lag": 2}), ["tmp", "not a field", "'tpm'"]),
    "nested field misspelt": (put(binarize__quantil=0.9), ["binarize.quantil", "'quantile'"]),
    "study name missing": (drop("study"), ["study", "is missing"]),
    "study name with a slash": (put(study="a/b"), ["study", "'a/b'"]),
    "no conditions": (put(conditions=[]), ["conditions"]),
    "condition twice": (put(conditions=["awake", "anesthesia", "awake"]), ["conditions", "twice"]),
    "method unknown": (put(binarize__method="mean"), ["binarize.method", "'mean'", "otsu"]),
    "lag zero": (put(tpm__lag=0), ["tpm.lag", "0"]),
    "quantile of 1.5": (
        put(binarize={"method": "quantile", "quantile": 1.5}),
        ["study.yaml: binarize.quantile", "1.5"],
    ),
    "parameter of another method": (
        put(binarize__quantile=0.9),
        ["binarize.quantile: belongs to the method 'quantile', and binarize.method is 'events'", "would be ignored"],
    ),
    "parameter of two other methods": (
        put(binarize={"method": "otsu", "z": 3}),
        ["binarize.z: belongs to the methods 'zscore' and 'events', and binarize.method is 'otsu'"],
    ),
    "truth value for a method": (
        raw("study.yaml", b"study: s\nconditions: [a]\npreprocess: {detrend: no}\n"),
        ["preprocess.detrend: is read as false", "in quotes"],
    ),
    "contrast of an unknown condition": (
        put(compare__contrasts=[["awake", "sleep"]]),
        ["compare.contrasts and conditions", "sleep"],
    ),
    "contrast with itself": (
        put(compare__contrasts=[["awake", "awake"]]),
        ["compare.contrasts", "itself"],
    ),
    "as many macro units as units": (
        put(macro__scales=[4]),
        ["macro.scales and ensembles.iit", "scales below 4"],
    ),
    "scale of no macro unit": (put(macro__scales=[2, 0]), ["macro.scales", "or all"]),
    "scales in other words": (put(macro__scales="every"), ["macro.scales", "a list of numbers"]),
    "scale twice": (put(macro__scales=[2, 2]), ["macro.scales", "twice"]),
    "no mapping": (put(macro__mappings=[]), ["macro.mappings and macro.scales"]),
    "primary endpoint that is no contrast": (
        put(compare__primary={"contrast": ["anesthesia", "awake"]}),
        ["compare.primary.contrast", "none of the contrasts", "same order"],
    ),
    "primary endpoint at no scale": (
        put(compare__primary={"route": "macro_units", "scale": 7}),
        ["compare.primary.scale", "no systems of 7 units"],
    ),
    "primary measure unknown": (put(compare__primary={"measure": "charm"}), ["compare.primary.measure", "charm"]),
    "copies without quantiles": (put(tpm__copies=5), ["tpm.copies and tpm.draws", "5 copies"]),
    "copies without draws": (put(tpm__copies=40, tpm__draws=0, iit__big_phi_draws=0), ["tpm.copies and tpm.draws"]),
    "copies of a bootstrap": (
        put(tpm__copies=40, tpm__uncertainty="bootstrap", tpm__drive=False),
        ["tpm.copies and tpm.uncertainty", "use uncertainty: posterior"],
    ),
    "resamples of a TPM that may hold a drive": (
        put(tpm__uncertainty="bootstrap"),
        ["tpm.uncertainty and tpm.drive", "or drive: false"],
    ),
    "hidden states two bins apart": (put(tpm={"method": "latent", "lag": 2}), ["tpm.lag and tpm.method", "use lag: 1"]),
    "truth that is none": (
        lambda folder, p: (
            (folder / "truth.json").write_text('{"conditions": 3}'),
            edit("recordings.tsv", "rate_hz\n", "rate_hz\ttruth\n")(folder, p),
            edit("recordings.tsv", "m1.csv\tcsv\t10", "m1.csv\tcsv\t10\ttruth.json")(folder, p),
        ),
        ["recording 'm1', ", "truth.json: holds no neuron_ensemble and no conditions"],
    ),
    "one file for two subjects": (
        edit("recordings.tsv", "m2.csv", "m1.csv"),
        ["recordings m1, m2: hold the same traces, and are said to be of the subjects m1, m2"],
    ),
    "neuron constant at a rounded number": (recording(fill(1, 0.1)), ["'m1', neuron n1", "constant"]),
    "a name given twice": (
        raw("study.yaml", b"study: s\nconditions: [a]\nstudy: t\n"),
        ["line 3", "'study' is given twice"],
    ),
    "resampled beyond all that was recorded": (
        put(preprocess={"kind": "dff", "resample_hz": 5000.0}),
        ["'m1' and preprocess.resample_hz: 5000 Hz is 500 times the frame rate"],
    ),
    "more surrogates unfolded than made": (
        put(nulls__surrogates=5, nulls__big_phi_surrogates=10),
        ["nulls.big_phi_surrogates and nulls.surrogates"],
    ),
    "bin shorter than a frame": (
        put(preprocess__resample_hz=1.0),
        ["binarize.bin_s and preprocess.resample_hz"],
    ),
    "bin shorter than the recording's own frame": (
        put(binarize__bin_s=0.05),
        ["'m1', binarize.bin_s", "'m2'", "(0.1 s at 10 Hz)", "at least 0.1"],
    ),
    "bin shorter than a simulated frame": (
        simulated("awake", "recovery", binarize__bin_s=0.05),
        ["'m1', binarize.bin_s", "(0.1 s at 10 Hz)"],
    ),
    "bin shorter than a frame after resampling": (
        put(preprocess__resample_hz=4.0, binarize__bin_s=0.2),
        ["binarize.bin_s and preprocess.resample_hz"],
    ),
    "lag longer than the windows": (
        put(tpm__lag=1_000_000),
        ["'m1', window awake and tpm.lag", "its 0 transitions", "299 transitions at lag 1"],
    ),
    "lag longer than simulated windows": (
        simulated("awake", "recovery", tpm__lag=590),
        ["'m2', window recovery and tpm.lag", "its 10 transitions", "599 transitions at lag 1"],
    ),
    "missing values that leave too few transitions": (
        recording(stretch(50, 1400, 1)),
        ["'m1', window awake and ensembles.iit", "cannot carry 4 units"],
    ),
    "window without values of one neuron": (
        recording(stretch(0, 1500, 1)),
        ["'m1', window awake: holds less than two usable bins", "NaN in n1"],
    ),
    "missing values after resampling": (
        lambda folder, p: (
            put(preprocess__resample_hz=5.0)(folder, p),
            recording(stretch(50, 1400, 1))(folder, p),
        ),
        ["'m1', window awake and ensembles.iit", "cannot carry 4 units"],
    ),
    "simulation of an unknown condition": (
        simulated("awake", "sleep"),
        ["simulation 'sound'", "condition sleep", "awake, anesthesia, recovery"],
    ),
    "phase beyond a step": (put(simulate__phase=3), ["simulate.phase", "random, or a share of the step"]),
    "hidden ensembles of pairs": (put(simulate__hidden=2), ["simulate", "pairs have no hidden ensembles"]),
    "detection in an unknown condition": (
        put(simulate__detection={"asleep": {"noise": 2.0}}),
        ["simulate.detection.asleep", "'awake', 'anesthesia' or 'recovery'"],
    ),
    "threshold below zero": (put(binarize__z=-3.0), ["binarize.z", "-3.0", "greater than or equal to 0.001"]),
    "positions empty": (positions(b""), ["recording 'm1'", "where.csv", "is not a table"]),
    "positions in another encoding": (positions(b"\xff\xfe\x00"), ["where.csv", "is not a table"]),
    "neither windows nor codes": (put(windows=None), ["windows and state_codes"]),
    "code for an unknown condition": (
        put(state_codes={"codes": {1: "dreaming"}}),
        ["state_codes.codes and conditions", "dreaming"],
    ),
    "bout shorter than a transition": (
        put(state_codes={"codes": {1: "awake"}, "min_bout_s": 0.5}),
        ["state_codes.min_bout_s", "0.5"],
    ),
    "neurons of an unknown subject": (
        put(ensembles__neurons={"m9": ["n0"]}),
        ["ensembles.neurons", "m9"],
    ),
    "neuron that does not exist": (
        put(ensembles__neurons={"m1": ["n0", "n77"]}),
        ["m1", "n77", "n0, n1, n2, n3"],
    ),
    "more neurons than units": (
        put(ensembles__iit=3),
        ["m1", "ensembles.method and ensembles.iit", "4 neurons"],
    ),
    "no positions to group by": (
        put(ensembles={"method": "position", "iit": 3}),
        ["'m1' and ensembles.method", "no position"],
    ),
    "no regions to group by": (
        put(ensembles={"method": "region", "iit": 3}),
        ["'m1' and ensembles.method", "no region"],
    ),
    "duplicate recording": (
        edit("recordings.tsv", "m2\tm2", "m1\tm1\tm1.csv\tcsv\t10\nm2\tm2"),
        ["recordings.tsv, lines 2, 3", "'m1'", "2 times"],
    ),
    "recording with a dash": (edit("recordings.tsv", "m2\tm2", "m-2\tm2"), ["line 3", "'m-2'"]),
    "format unknown": (
        edit("recordings.tsv", "csv\tcsv", "csv\tcvs"),
        ["line 2: format", "'cvs'", "'csv'"],
    ),
    "column that the format does not heed": (
        lambda folder, p: (
            edit("recordings.tsv", "rate_hz\n", "rate_hz\ttranspose\tdataset\n")(folder, p),
            edit("recordings.tsv", "m1.csv\tcsv\t10", "m1.csv\tcsv\t10\t\ttraces")(folder, p),
        ),
        ["line 2: dataset: is 'traces', and the format 'csv' does not heed it"],
    ),
    "path empty": (edit("recordings.tsv", "m1.csv", ""), ["line 2: path", "empty"]),
    "rate negative": (edit("recordings.tsv", "csv\t10", "csv\t-10"), ["line 2: rate_hz", "'-10'"]),
    "rate missing": (edit("recordings.tsv", "csv\t10", "csv\t"), ["m1", "rate_hz"]),
    "file missing": (remove("m1.csv"), ["m1.csv"]),
    "file is not a table": (raw("m1.csv", b"\x00\x01\x02"), ["m1.csv"]),
    "file is empty": (raw("m1.csv", b""), ["m1.csv"]),
    "column missing": (
        edit("recordings.tsv", "subject", "animal"),
        ["recordings.tsv", "subject"],
    ),
    "column unknown": (edit("recordings.tsv", "rate_hz", "rate"), ["rate", "'rate_hz'"]),
    "commas for tabs": (
        raw("recordings.tsv", b"recording,subject,path,format\nm1,m1,m1.csv,csv\n"),
        ["recordings.tsv", "tabs"],
    ),
    "sheet without rows": (
        raw("recordings.tsv", b"recording\tsubject\tpath\tformat\n"),
        ["recordings.tsv", "no rows"],
    ),
    "sheet in another encoding": (raw("recordings.tsv", b"recording\xff\xfe\t"), ["UTF-8"]),
    "surplus cell": (edit("recordings.tsv", "csv\t10", "csv\t10\t5"), ["line 2", "6 cells"]),
    "window of an unknown recording": (
        edit("windows.tsv", "m2\tawake", "m3\tawake"),
        ["windows.tsv, line 4", "'m3'"],
    ),
    "condition unknown": (
        edit("windows.tsv", "awake\tawake", "awake\tawakee"),
        ["line 2: condition", "'awakee'", "'awake'"],
    ),
    "time that is no number": (edit("windows.tsv", "0\t150", "0\tend"), ["line 2", "'end'"]),
    "window backwards": (edit("windows.tsv", "0\t150", "150\t0"), ["line 2", "150", "no length"]),
    "windows overlap": (
        edit("windows.tsv", "0\t150", "0\t200"),
        ["m1", "anesthesia", "overlaps", "awake"],
    ),
    "window beyond the end": (
        edit("windows.tsv", "150\t300", "150\t400"),
        ["'m1', window anesthesia", "400", "300"],
    ),
    "window in two conditions": (
        edit("windows.tsv", "m1\tanesthesia\t", "m1\tawake\t"),
        ["m1, window awake", "several conditions"],
    ),
    "too few frames for the units": (
        edit("windows.tsv", "0\t150", "0\t3"),
        ["'m1', window awake and ensembles.iit", "cannot carry 4 units"],
    ),
    "recording without windows": (
        edit("windows.tsv", "m1\tawake\tawake\t0\t150\nm1\tanesthesia\tanesthesia\t150\t300\n", ""),
        ["windows.tsv: m1", "no window"],
    ),
    "neuron constant": (recording(fill(1, 3.0)), ["'m1', neuron n1", "constant"]),
    "clock taken for a neuron": (
        recording(lambda traces: np.copyto(traces[:, 2], np.arange(len(traces)))),
        ["recording 'm1', neuron n2: increases from frame to frame throughout"],
    ),
    "fewer neurons than units": (
        recording(fill(1, np.nan)),
        ["recording 'm1' and ensembles.iit: has 3 neurons for 4 units", "lower ensembles.iit to 3"],
    ),
    "traces around zero taken for fluorescence": (
        put(preprocess={"kind": "fluorescence"}),
        ["recording 'm1': 4 of 4 neurons", "negative or close to zero", "set preprocess.kind to dff"],
    ),
    "unit that is never ON": (
        put(binarize__z=80.0),
        ["recording 'm1', unit n0: it is never ON", "and 7 more like it: unit n1, unit n2, unit n3, ..."],
    ),
    "windows on another clock": (
        lambda folder, p: (
            edit("recordings.tsv", "csv\t10\nm2", "csv\t\nm2")(folder, p),
            (folder / "m1.csv").write_text(
                "time_s,n0,n1,n2,n3\n"
                + "".join(f"{1e6 + i / 10},{i % 3},{i % 5},{i % 7},{i % 11}\n" for i in range(3000))
            ),
        ),
        ["'m1', window awake: is from 0 to 150 s, and the recording from 1e+06 to 1.0003e+06 s", "time_zero to first"],
    ),
    "data folder variable not set": (
        put(data="${PHISCALE_TEST_NOT_SET}"),
        ["PHISCALE_TEST_NOT_SET", "--data"],
    ),
    "codes without a section": (
        edit(
            "recordings.tsv",
            "rate_hz\nm1\tm1\tm1.csv\tcsv\t10",
            "rate_hz\tstate_codes\nm1\tm1\tm1.csv\tcsv\t10\tcodes.mat",
        ),
        ["line 2: state_codes", "state_codes section"],
    ),
    "YAML broken": (raw("study.yaml", b"study: [\n"), ["study.yaml", "not valid YAML"]),
    "YAML without fields": (raw("study.yaml", b"just words\n"), ["study.yaml", "fields"]),
}


# A fault of the whole study may concern both recordings, or leave windows without their recording.
COUNTS = {
    "more neurons than units": 2,
    "resampled beyond all that was recorded": 2,
    "traces around zero taken for fluorescence": 2,
    "windows on another clock": 2,
    "no positions to group by": 2,
    "no regions to group by": 2,
    "recording with a dash": 4,
    "column unknown": 3,
    "bin shorter than the recording's own frame": 2,
    "bin shorter than a simulated frame": 2,
    "lag longer than the windows": 4,
    "lag longer than simulated windows": 4,
}
