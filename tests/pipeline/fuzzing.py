"""Random faults of studies, sheets and data files, each with the verdict that a check has to come to.

A case is a number: `Case.of(seed, number)` makes the same fault again. Faults of which nobody can say whether they
matter (a byte written over somewhere) have the verdict ANY: whatever is said of them, it is said in words.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import annotated_types
import h5py
import numpy as np
import scipy.io
import yaml
from made_files import write_caiman, write_nwb, write_suite2p
from pydantic import BaseModel

from pipeline.base import files
from pipeline.base.recording import Origin, build
from pipeline.base.registry import chosen_of
from pipeline.study.check import check
from pipeline.study.parameters import Parameters
from pipeline.workflow.plan import plan

REFUSED, ACCEPTED, WARNED, ANY = "refused", "accepted", "warned", "any"
LONGEST_S = 10.0
UNFORESEEN = re.compile(r"(cannot be read|unexpected) \(?\w*(Error|Exception|Warning)\b")  # a library's words, not ours
RATE_HZ, FRAMES, NEURONS = 10.0, 1200, 4
FORMATS = ("csv", "npy", "mat", "hdf5", "netcdf", "nwb", "caiman", "suite2p", "spikes")
ENDINGS = {"csv": ".csv", "npy": ".npy", "mat": ".mat", "hdf5": ".h5", "netcdf": ".nc", "nwb": ".nwb"}
ENDINGS |= {"caiman": ".hdf5", "suite2p": "", "spikes": ".npz"}
HEADER = "recording\twindow\tcondition\tstart_s\tend_s\n"
# fields that a check has nothing to hold against, so that all that lies within their limits is accepted
FREE = (
    *("seed", "compare.bootstrap", "compare.permutations", "compare.confidence", "compare.repeats"),
    *("macro.restarts", "macro.steps", "macro.random_groupings", "iit.structures", "iit.min_visits"),
    *("iit.min_row_visits", "iit.big_phi_draws", "nulls.hidden_surrogates", "nulls.detection", "tpm.draws"),
)


@dataclass
class Sound:
    """A sound study in a folder, before something happens to it.

    Attributes:
        folder: that holds it.
        parameters: of study.yaml, written last.
        format: of its first recording; the second is text.
        row: of the sheet, of the first recording.
        text: study.yaml in place of the parameters; empty: they are written.
    """

    folder: Path
    parameters: dict[str, Any]
    format: str
    row: dict[str, str]
    text: bytes = b""

    @property
    def path(self) -> Path:
        """The first recording."""
        return self.folder / self.row["path"]

    def write(self) -> None:
        """Write study.yaml."""
        text = self.text or yaml.safe_dump(self.parameters, allow_unicode=True).encode("utf-8", "surrogatepass")
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
            file.create_dataset("traces", data=values, chunks=(100, values.shape[1]), compression="gzip")
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


@dataclass(frozen=True)
class Number:
    """A numeric field of the model of a study.

    Attributes:
        field: as a study writes it.
        method: that has it; empty where any has.
        whole: whether it takes whole numbers only.
        low, high: its limits.
        strict: whether the limits themselves are outside, each.
    """

    field: str
    method: str
    whole: bool
    low: float | None
    high: float | None
    strict: tuple[bool, bool]


def numbers(model: type[BaseModel] = Parameters, before: str = "", method: str = "") -> Iterator[Number]:
    """Yield the numeric fields of a model that stand by themselves (not in lists or mappings)."""
    for name, field in model.model_fields.items():
        chosen = chosen_of(field)
        if chosen:
            for own, part in chosen.models.items():
                yield from numbers(part, f"{before}{name}.", own)
        else:
            yield from _numbers(field.annotation, field.metadata, f"{before}{name}", method)


def _numbers(kind: Any, limits: list[Any], field: str, method: str) -> Iterator[Number]:
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        limits = [*limits, *(part for one in more for part in getattr(one, "metadata", [one]))]
        yield from _numbers(inner, limits, field, method)
    elif get_origin(kind) in (Union, UnionType):
        for part in get_args(kind):
            yield from _numbers(part, limits, field, method)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from numbers(kind, f"{field}.", method)
    elif kind in (int, float):
        low = next((m for m in limits if isinstance(m, annotated_types.Ge | annotated_types.Gt)), None)
        high = next((m for m in limits if isinstance(m, annotated_types.Le | annotated_types.Lt)), None)
        ends = [getattr(m, a, getattr(m, b, None)) for m, a, b in ((low, "ge", "gt"), (high, "le", "lt"))]
        strict = isinstance(low, annotated_types.Gt), isinstance(high, annotated_types.Lt)
        yield Number(field, method, kind is int, ends[0], ends[1], strict)


NUMBERS = [one for one in numbers() if one.field != "simulate.phase"]


def put(study: Sound, field: str, value: Any) -> None:
    """Set a field of study.yaml."""
    *sections, last = field.split(".")
    place = study.parameters
    for name in sections:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    place[last] = value


# -- faults: each returns what it is and the verdict --------------------------------------------------------------

Made = tuple[str, str]
Fault = Callable[[Sound, np.random.Generator], Made]


def number_outside(study: Sound, rng: np.random.Generator) -> Made:
    """A number that its field does not take."""
    one = NUMBERS[rng.integers(len(NUMBERS))]
    assert one.low is not None
    assert one.high is not None
    wrong = [float("nan"), float("inf"), -float("inf"), 10**400, -(10**400), "many", [1], {}, 1e308, -1e308, True]
    wrong += [one.low if one.strict[0] else one.low - max(abs(one.low) * 0.01, 1e-9) if not one.whole else one.low - 1]
    wrong += [one.high * 1.01 if not one.whole else one.high + 1]
    wrong += [5e-324] if one.low > 0 else [-5e-324] if one.low == 0 else []
    wrong += [(one.low + one.high) / 2 + 0.3] if one.whole and one.high < 1e9 else []
    value = wrong[rng.integers(len(wrong))]
    if one.method:
        put(study, f"{one.field.split('.')[0]}.method", one.method)
    put(study, one.field, value)
    _complete(study, one.field)
    return f"{one.field} ({one.method}) = {str(value)[:40]}", REFUSED


def number_inside(study: Sound, rng: np.random.Generator) -> Made:
    """A number that its field takes: at a limit, or between them."""
    one = NUMBERS[rng.integers(len(NUMBERS))]
    assert one.low is not None
    assert one.high is not None
    low = one.low if not one.strict[0] else one.low + 1e-6
    high = one.high if not one.strict[1] else one.high - (1 if one.whole else 1e-6)
    middle = np.exp(rng.uniform(np.log(max(low, 1e-9)), np.log(high))) if high > 0 else 0
    value = [low, high, middle, rng.uniform(low, high)][rng.integers(4)]
    value = int(min(max(round(value), low), high)) if one.whole else float(value)
    if one.method:
        put(study, f"{one.field.split('.')[0]}.method", one.method)
    put(study, one.field, value)
    _complete(study, one.field)
    free = one.field in FREE and one.method in ("", "logistic")
    return f"{one.field} ({one.method}) = {value}", ACCEPTED if free else ANY


def _complete(study: Sound, field: str) -> None:
    """Add what a section needs besides."""
    if field.startswith("multiverse"):
        put(study, "multiverse.grid", {"tpm.lag": [1, 2]})
    if field.startswith("state_codes"):
        put(study, "state_codes.codes", {1: "awake"})


TEXTS: dict[str, tuple[bytes, str]] = {
    "deep brackets": (b"study: " + b"[" * 20000, REFUSED),
    "deep mappings": (b"study: " + b"{a: " * 5000, REFUSED),
    "deep and closed": (b"study: " + b"[" * 3000 + b"]" * 3000 + b"\n", REFUSED),
    "laughs": (
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 108))
        + b"study: *k\nconditions: *k\n",
        REFUSED,
    ),
    "itself": (b"study: &a [*a]\nconditions: *a\n", REFUSED),
    "tag of Python": (b"study: !!python/object/apply:os.system ['touch pwned']\nconditions: [a]\n", REFUSED),
    "tag of a number": (b"study: !!int 'x'\nconditions: [a]\n", REFUSED),
    "tag of a date": (b"study: 2026-13-45\nconditions: [a]\n", REFUSED),
    "a date": (b"study: 2026-01-02\nconditions: [a]\n", REFUSED),
    "huge number": (b"study: s\nconditions: [a]\nseed: " + b"9" * 400 + b"\n", REFUSED),
    "enormous number": (b"study: s\nconditions: [a]\nseed: " + b"9" * 6000 + b"\n", REFUSED),
    "huge float": (b"study: s\nconditions: [a]\nbinarize: {bin_s: 1.0e+400}\n", REFUSED),
    "list for a key": (b"[a]: 1\nstudy: s\n", REFUSED),
    "mapping for a key": (b"{a: 1}: 1\nstudy: s\n", REFUSED),
    "number for a key": (b"1: 2\nstudy: s\nconditions: [a]\n", REFUSED),
    "nothing for a key": (b"null: 2\nstudy: s\nconditions: [a]\n", REFUSED),
    "NUL": (b"study: s\x00\nconditions: [a]\n", REFUSED),
    "NUL in quotes": (b'study: "s\\0"\nconditions: [a]\n', REFUSED),
    "NUL in a path": (b'study: s\nconditions: [a]\nrecordings: "a\\0.tsv"\n', REFUSED),
    "NUL in the results": (b'study: s\nconditions: [a]\nresults: "a\\0"\n', REFUSED),
    "a line in a path": (b'study: s\nconditions: [a]\nresults: "a\\nb"\n', REFUSED),
    "surrogate": (b'study: "\\uD800"\nconditions: [a]\n', REFUSED),
    "surrogate in the results": (b'study: s\nconditions: [a]\nresults: "\\uD800"\n', REFUSED),
    "surrogate in a path": (b'study: s\nconditions: [a]\nrecordings: "\\uDFFF"\n', REFUSED),
    "surrogate bytes": (b"study: \xed\xa0\x80\nconditions: [a]\n", REFUSED),
    "Latin": (b"study: caf\xe9\nconditions: [a]\n", REFUSED),
    "long study": (b"study: " + b"s" * 300 + b"\nconditions: [a]\n", REFUSED),
    "long condition": (b"study: s\nconditions: [" + b"a" * 300 + b"]\n", REFUSED),
    "long results": (b"study: s\nconditions: [a]\nresults: " + b"r" * 300 + b"\n", REFUSED),
    "long sheet": (b"study: s\nconditions: [a]\nrecordings: " + b"r" * 300 + b".tsv\n", REFUSED),
    "two documents": (b"study: s\n---\nconditions: [a]\n", REFUSED),
    "list": (b"- study: s\n", REFUSED),
    "nothing": (b"", REFUSED),
    "blank": (b"\n\n# only words\n", REFUSED),
    "tabs": (b"study: s\nconditions:\n\t- a\n", REFUSED),
    "unquoted no": (b"study: NO\nconditions: [a]\n", REFUSED),
    "sheet that is a device": (b"study: s\nconditions: [a]\nrecordings: /dev/zero\n", REFUSED),
    "windows that are a device": (b"study: s\nconditions: [a]\nwindows: /dev/zero\n", REFUSED),
    "twice": (b"study: s\nconditions: [a]\nstudy: t\n", REFUSED),
    "twice within": (b"study: s\nconditions: [a]\ntpm: {lag: 1, lag: 2}\n", REFUSED),
    "merged": (b"study: s\nconditions: [a]\ntpm: {<<: 3}\n", REFUSED),
    "many megabytes": (b"study: s\n" + b"#" * (2**21), REFUSED),
}


def text_of_the_study(study: Sound, rng: np.random.Generator) -> Made:
    """study.yaml in other words, none of which is a study."""
    name = list(TEXTS)[rng.integers(len(TEXTS))]
    study.text = TEXTS[name][0]
    return f"study.yaml: {name}", TEXTS[name][1]


def same_in_other_words(study: Sound, rng: np.random.Generator) -> Made:
    """study.yaml and sheets as other editors write them."""
    kind = rng.integers(5)
    for name in ("recordings.tsv", "windows.tsv"):
        text = (study.folder / name).read_bytes()
        text = [
            text.replace(b"\n", b"\r\n"),
            b"\xef\xbb\xbf" + text,
            b"# a word before\n\n" + text.replace(b"\t", b"  \t ") + b"\n\n",
            text.rstrip(b"\n"),
            b"\n".join(b"\t".join(line.split(b"\t")[::-1]) for line in text.splitlines()),
        ][kind]
        (study.folder / name).write_bytes(text)
    study.write()
    text = (study.folder / "study.yaml").read_bytes()
    study.text = [text.replace(b"\n", b"\r\n"), b"# words\n" + text, text + b"\n\n", text + b"tpm:\n", text][kind]
    if kind == 3:
        study.text = text + b"macro:\niit:\n"
    return f"other words {kind}", ACCEPTED


def value_of_another_kind(study: Sound, rng: np.random.Generator) -> Made:
    """A field of study.yaml that holds something else, or does not exist."""
    fields = list(Parameters.model_fields)
    name = fields[rng.integers(len(fields))]
    wrong: list[Any] = [[[]], {"such": "a field"}, 1.5, True, float("nan"), [None], {"a": {"b": {}}}]
    value = wrong[rng.integers(len(wrong))]
    if name == "seed" and value is True:
        value = "x"
    put(study, name, value)
    return f"{name} = {value!r}", REFUSED


def cell(study: Sound, rng: np.random.Generator) -> Made:
    """A cell of recordings.tsv."""
    column, value, verdict = CELLS[rng.integers(len(CELLS))]
    if column == "rate_hz" and value in ("", "20") and study.format not in ("csv", "npy", "mat", "hdf5"):
        verdict = ANY
    (study.folder / "folder").mkdir()
    (study.folder / "loop").symlink_to("loop")
    (study.folder / "pipe").symlink_to("/dev/zero")
    write_rows(study, {column: value})
    return f"recordings.tsv, {column} = {value[:40]!r}", verdict


CELLS = [
    *(("rate_hz", value, REFUSED) for value in ("-1", "0", "inf", "nan", "1e400", "ten", "5e-324", "1e308", "10 Hz")),
    *(("rate_hz", value, REFUSED) for value in ("20", "")),
    *(("rate_hz", value, ANY) for value in ("10.0", "1_0", "１０", "9.99")),
    *(("recording", value, REFUSED) for value in ("", "a b", "../up", "a/b", "x" * 300, "m2", "a\ud800", "$(ls)", "é")),
    *(("subject", value, REFUSED) for value in ("", "a b", "../up", "x" * 300, "a\u202eb", "-", "a\x00")),
    *(("path", value, REFUSED) for value in ("", "nowhere", "folder", "loop", "pipe", "/dev/zero", "x" * 300, "a\x00")),
    *(
        ("path", value, REFUSED)
        for value in ("{recording}.csv", "${PHISCALE_NOT_SET}/a", "study.yaml", "~nobody/x", "")
    ),
    *(("format", value, REFUSED) for value in ("", "cvs", "CSV", "spikefinder", "simulate2")),
    *(("dataset", value, REFUSED) for value in ("nothing", "/", "../..", "x" * 300, "a\x00b")),
    *(("keep", value, REFUSED) for value in ("n77", "all,n77")),
    *(("drop", value, REFUSED) for value in ("n77", "n0,n1,n2,n3")),
    *(("zero_frames", value, REFUSED) for value in ("perhaps",)),
    *(("transpose", value, REFUSED) for value in ("perhaps",)),
    *(("positions", value, REFUSED) for value in ("nowhere.csv", "/dev/zero", "m2.csv", "folder")),
    *(("time_dataset", value, REFUSED) for value in ("nowhere.npy", "m2.csv", "/dev/zero")),
    *(("state_codes", value, REFUSED) for value in ("m2.csv", "nowhere.npy")),
    *(("truth", value, REFUSED) for value in ("nowhere.json", "folder", "m2.csv")),
    *(("colour", "red", REFUSED) for _ in range(2)),
]

WINDOWS = [
    *(("0", "60", ACCEPTED), ("0.0", "6e1", ACCEPTED), ("5", "60", ACCEPTED), ("0", "59.95", ACCEPTED)),
    *((start, "60", REFUSED) for start in ("", "x", "nan", "inf", "-1", "60", "61", "1e400", "-0.5", "0x1", "-5e-324")),
    *(("0", end, REFUSED) for end in ("", "x", "nan", "inf", "0", "-5", "1e9", "1e308", "121", "60 s", "5e-324")),
    *(("0", end, REFUSED) for end in ("70", "3")),
    *(("0", end, WARNED) for end in ("52",)),
]


def window(study: Sound, rng: np.random.Generator) -> Made:
    """The first row of windows.tsv."""
    start, end, verdict = WINDOWS[rng.integers(len(WINDOWS))]
    text = (study.folder / "windows.tsv").read_text()
    if (start, end) == ("0", "52"):
        study.parameters["binarize"] |= {"min_frames": 110, "match_length": False}
    (study.folder / "windows.tsv").write_text(text.replace("0\t60\n", f"{start}\t{end}\n", 1))
    return f"window from {start!r} to {end!r}", verdict


def lines_of_windows(study: Sound, rng: np.random.Generator) -> Made:
    """Other lines in windows.tsv."""
    path, kind = study.folder / "windows.tsv", int(rng.integers(10))
    text = path.read_text()
    lines = text.splitlines()
    made = [
        HEADER + HEADER + text.partition("\n")[2],
        "\n".join(lines[:3]) + "\n",
        text + lines[1] + "\n",
        text.replace("condition", "state"),
        text.replace("awake\tawake", "awake\tasleep", 1),
        text.replace("m1\tawake", "m3\tawake", 1),
        text.replace("m1\tiso\tiso", "m1\tawake\tiso", 1),
        text.replace("awake\tawake", "a wake\tawake", 1),
        text.replace("awake\tawake", "x" * 300 + "\tawake", 1),
        text.replace("\t", ","),
    ]
    path.write_text(made[kind])
    return f"windows.tsv, {kind}", REFUSED


def of_values(study: Sound, rng: np.random.Generator) -> Made:
    """Traces that are none, or nearly."""
    values, kind = values_of(rng), int(rng.integers(15))
    names = [
        *("infinite", "constant", "constant at 0.1", "clock", "nothing", "one neuron", "one frame", "no frame"),
        *("one value missing", "a stretch missing", "one neuron missing", "complex", "a neuron twice", "tiny", "huge"),
    ]
    verdicts = [REFUSED] * 8 + [ACCEPTED, WARNED, REFUSED, REFUSED, ANY, ANY, REFUSED]
    if kind == 0:
        values[rng.integers(FRAMES), 1] = np.inf
    elif kind in (1, 2):
        values[:, 2] = (3.0, 0.1)[kind - 1]
    elif kind == 3:
        values[:, 2] = np.arange(FRAMES) / 10
    elif kind == 4:
        values[:] = np.nan
    elif kind == 5:
        values = values[:, :1]
    elif kind in (6, 7):
        values = values[: 7 - kind]
    elif kind == 8:
        values[40, 1] = np.nan
    elif kind == 9:
        values[40:80] = np.nan
    elif kind == 10:
        values[:, 1] = np.nan
    elif kind == 11:
        values = np.array([["a", "b", "c", "d"]] * FRAMES)
    elif kind == 12:
        values[:, 1] = values[:, 0]
    else:
        values *= (1e-300, 1e300)[kind - 13]
    if kind == 11 and study.format not in ("npy", "csv"):
        return of_bytes(study, rng)
    if study.format == "spikes" and kind in (3, 11, 12):
        values[:] = 30
    path = study.path
    if kind == 11:
        np.save(path, values) if study.format == "npy" else path.write_text("\n".join(map(",".join, values)))
    else:
        with np.errstate(all="ignore"):
            write_values(path, study.format, values)
    return f"{study.format}: {names[kind]}", verdicts[kind] if study.format not in ("nwb", "suite2p", "spikes") else (
        verdicts[kind] if verdicts[kind] == REFUSED and kind < 3 else ANY
    )


def of_bytes(study: Sound, rng: np.random.Generator) -> Made:
    """A data file that is cut off, empty, of another kind, or written over."""
    path = study.path
    parts = sorted(path.rglob("*.npy")) if path.is_dir() else [path]
    part = parts[rng.integers(len(parts))]
    data, kind = bytearray(part.read_bytes()), int(rng.integers(8))
    a, b = sorted(rng.integers(0, len(data), 2).tolist())
    verdict = ANY
    if kind == 0:
        data, verdict = data[: min(a, int(len(data) * 0.9))], REFUSED if part == path and study.format != "csv" else ANY
    elif kind == 1:
        data, verdict = bytearray(), REFUSED if part == path else ANY
    elif kind == 2:
        data = bytearray(rng.integers(0, 256, 5000, dtype=np.uint8).tobytes())
        verdict = REFUSED if part == path else ANY
    elif kind == 3:
        for place in rng.integers(0, len(data), 8):
            data[place] = int(rng.integers(256))
    elif kind == 4:  # in the head, where shapes and addresses stand
        for place in rng.integers(0, min(len(data), 2000), 6):
            data[place] = int(rng.integers(256))
    elif kind == 5:
        data[a : min(b, a + 64)] = bytes(min(b, a + 64) - a)
    elif kind == 6:
        del data[a : min(b, a + 40)]
    else:
        data[a:a] = data[a : min(b, a + 40)]
    part.write_bytes(data)
    return f"{study.format}: {part.name}, bytes {kind} from {a}", verdict


def another_format(study: Sound, rng: np.random.Generator) -> Made:
    """A file of another format than the sheet says."""
    others = [kind for kind in FORMATS if kind not in (study.format, "suite2p") and ENDINGS[kind]]
    other = others[rng.integers(len(others))]
    path = study.path
    if study.format == "suite2p":
        return of_bytes(study, rng)
    write_values(study.folder / f"other{ENDINGS[other]}", other, values_of(rng))
    path.write_bytes((study.folder / f"other{ENDINGS[other]}").read_bytes())
    return f"{other} for {study.format}", ANY


def hostile(study: Sound, rng: np.random.Generator) -> Made:
    """A container made to do harm; each is refused, or the harmless rest of it read."""
    kind = int(rng.integers(len(HOSTILE)))
    name, ending, form, make, verdict = HOSTILE[kind]
    path = study.folder / f"hostile{ending}"
    make(path, values_of(rng))
    write_rows(
        study, {"path": path.name, "format": form, "keep": "", **({"dataset": "traces"} if "named" in name else {})}
    )
    return f"hostile: {name}", verdict


def _h5(make: Callable[[h5py.File, np.ndarray], None]) -> Callable[[Path, np.ndarray], None]:
    def write(path: Path, values: np.ndarray) -> None:
        with h5py.File(path, "w") as file:
            make(file, values)

    return write


def _loop(file: h5py.File, values: np.ndarray) -> None:
    file["traces"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/traces")


def _loop_beside(file: h5py.File, values: np.ndarray) -> None:
    file["traces"] = values
    file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
    file["up"] = h5py.SoftLink("/")


def _outside(file: h5py.File, values: np.ndarray) -> None:
    with h5py.File(Path(file.filename).with_name("secret.h5"), "w") as other:
        other["traces"] = values
    file["traces"] = h5py.ExternalLink("secret.h5", "/traces")


def _raw_outside(file: h5py.File, values: np.ndarray) -> None:
    secret = Path(file.filename).with_name("secret.bin")
    secret.write_bytes(values.tobytes())
    file.create_dataset("traces", values.shape, values.dtype, external=[(str(secret), 0, values.nbytes)])


def _virtual(file: h5py.File, values: np.ndarray) -> None:
    with h5py.File(Path(file.filename).with_name("secret.h5"), "w") as other:
        other["traces"] = values
    layout = h5py.VirtualLayout(values.shape, values.dtype)
    layout[:] = h5py.VirtualSource("secret.h5", "traces", values.shape)
    file.create_virtual_dataset("traces", layout)


def _tebibytes(file: h5py.File, values: np.ndarray) -> None:
    file.create_dataset("traces", (2**40, 4), float, chunks=(1000, 4))


def _gibibytes(file: h5py.File, values: np.ndarray) -> None:
    file.create_dataset("traces", (2**27, 4), float, chunks=(1000, 4))


def _many_dimensions(file: h5py.File, values: np.ndarray) -> None:
    file["traces"] = np.zeros((2,) * 12)


def _null(file: h5py.File, values: np.ndarray) -> None:
    file["traces"] = h5py.Empty("f")


def _npy_of(shape: tuple[int, ...], descr: str = "<f8") -> Callable[[Path, np.ndarray], None]:
    def write(path: Path, values: np.ndarray) -> None:
        with path.open("wb") as file:
            header = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.write(b"\0" * 4096)

    return write


def _wide(path: Path, values: np.ndarray) -> None:
    path.write_text("a,b,c,d\n" + "1,2,3," + "x" * 200_000 + "\n")


def _quoted(path: Path, values: np.ndarray) -> None:
    path.write_text('a,b,c,d\n1,2,3,"' + "4,\n" * 100_000)


def _wide_head(path: Path, values: np.ndarray) -> None:
    path.write_text("a" * 200_000 + ",b\n1,2\n2,1\n")


def _many_columns(path: Path, values: np.ndarray) -> None:
    path.write_text(",".join(f"n{i}" for i in range(20_000)) + "\n" + ",".join(["1"] * 20_000) + "\n")


def _nul(path: Path, values: np.ndarray) -> None:
    path.write_bytes(b"a,b,c,d\n" + b"1,2\x00,3,4\n" * 500)


def _utf16(path: Path, values: np.ndarray) -> None:
    path.write_text("a,b,c,d\n" + "1,2,3,4\n" * 50, encoding="utf-16")


def _names_twice(path: Path, values: np.ndarray) -> None:
    np.savetxt(path, values, delimiter=",", header="n0,n0,n1,n2", comments="")


def _time_back(path: Path, values: np.ndarray) -> None:
    time = np.arange(FRAMES) / RATE_HZ
    time[50] = 2.0
    np.savetxt(path, np.column_stack([time, values]), delimiter=",", header="time_s,a,b,c,d", comments="")


def _formulas(path: Path, values: np.ndarray) -> None:
    np.savetxt(path, values, delimiter=",", header="=1+1,@SUM(A1),-2+3,n4", comments="")


def _markup(path: Path, values: np.ndarray) -> None:
    np.savetxt(path, values, delimiter=",", header="<script>alert(1)</script>,$\\undefined{$,{x},%s", comments="")


def _bomb(path: Path, values: np.ndarray) -> None:
    np.savez_compressed(path, counts=np.zeros((2**24 + 2**20, 4), np.int8))


def _pickled(path: Path, values: np.ndarray) -> None:
    np.savez(path, counts=np.array([{"a": 1}], dtype=object))


HOSTILE: list[tuple[str, str, str, Callable[[Path, np.ndarray], None], str]] = [
    ("named loop", ".h5", "hdf5", _h5(_loop), REFUSED),
    ("loop", ".h5", "hdf5", _h5(_loop), REFUSED),
    ("loop beside named traces", ".h5", "hdf5", _h5(_loop_beside), ACCEPTED),
    ("loop beside traces", ".h5", "hdf5", _h5(_loop_beside), ACCEPTED),
    ("named external link", ".h5", "hdf5", _h5(_outside), REFUSED),
    ("external link", ".h5", "hdf5", _h5(_outside), REFUSED),
    ("named external storage", ".h5", "hdf5", _h5(_raw_outside), REFUSED),
    ("external storage", ".h5", "hdf5", _h5(_raw_outside), REFUSED),
    ("virtual", ".h5", "hdf5", _h5(_virtual), REFUSED),
    ("tebibytes", ".h5", "hdf5", _h5(_tebibytes), REFUSED),
    ("gibibytes", ".h5", "hdf5", _h5(_gibibytes), REFUSED),
    ("dimensions", ".h5", "hdf5", _h5(_many_dimensions), REFUSED),
    ("null", ".h5", "hdf5", _h5(_null), REFUSED),
    ("virtual netcdf", ".nc", "netcdf", _h5(_virtual), REFUSED),
    ("loop as netcdf", ".nc", "netcdf", _h5(_loop), REFUSED),
    ("external link as netcdf", ".nc", "netcdf", _h5(_outside), REFUSED),
    ("npy of tebibytes", ".npy", "npy", _npy_of((2**40, 4)), REFUSED),
    ("npy of no size", ".npy", "npy", _npy_of((0, 4)), REFUSED),
    ("npy of 60 dimensions", ".npy", "npy", _npy_of((1,) * 60), REFUSED),
    ("npy of a negative shape", ".npy", "npy", _npy_of((-1, 4)), REFUSED),
    ("npy of text", ".npy", "npy", _npy_of((10, 4), "<U2"), REFUSED),
    ("npy of complex", ".npy", "npy", _npy_of((30, 4), "<c16"), REFUSED),
    ("npy of dates", ".npy", "npy", _npy_of((60, 4), "<M8[s]"), REFUSED),
    ("wide cell", ".csv", "csv", _wide, REFUSED),
    ("open quote", ".csv", "csv", _quoted, REFUSED),
    ("wide head", ".csv", "csv", _wide_head, REFUSED),
    ("many columns", ".csv", "csv", _many_columns, REFUSED),
    ("NUL in text", ".csv", "csv", _nul, REFUSED),
    ("UTF-16", ".csv", "csv", _utf16, REFUSED),
    ("names twice", ".csv", "csv", _names_twice, REFUSED),
    ("time that goes back", ".csv", "csv", _time_back, REFUSED),
    ("formulas", ".csv", "csv", _formulas, ACCEPTED),
    ("markup", ".csv", "csv", _markup, ACCEPTED),
    ("bomb", ".npz", "spikes", _bomb, REFUSED),
    ("pickle", ".npz", "spikes", _pickled, REFUSED),
]


def text_over(study: Sound, rng: np.random.Generator) -> Made:
    """A sheet or study.yaml with characters written over."""
    study.write()
    name = ("study.yaml", "recordings.tsv", "windows.tsv")[rng.integers(3)]
    data = bytearray((study.folder / name).read_bytes())
    odd = b"\x00\xff\t\n\r:{}[]&*!|>'\"%@`#-0aZ\xc3\xa9"
    for place in rng.integers(0, len(data), rng.integers(1, 4)):
        data[place] = odd[rng.integers(len(odd))]
    (study.folder / name).write_bytes(data)
    study.text = bytes(data) if name == "study.yaml" else b""
    return f"{name} written over", ANY


def twice(study: Sound, rng: np.random.Generator) -> Made:
    """One file for two subjects, or for two recordings of one."""
    same = bool(rng.integers(2))
    row = study.row | {"path": "m2.csv", "format": "csv", "keep": ""} | ({"subject": "m2"} if same else {})
    write_rows(study, row)
    return f"one file for {'one subject' if same else 'two subjects'}", WARNED if same else REFUSED


FAULTS: tuple[tuple[Fault, int], ...] = (
    (number_outside, 5),
    (number_inside, 4),
    (text_of_the_study, 2),
    (same_in_other_words, 1),
    (value_of_another_kind, 2),
    (cell, 4),
    (window, 2),
    (lines_of_windows, 1),
    (of_values, 3),
    (of_bytes, 6),
    (another_format, 1),
    (hostile, 3),
    (text_over, 3),
    (twice, 1),
)


@dataclass(frozen=True)
class Case:
    """One fault, made in a folder.

    Attributes:
        what: is done to which study.
        verdict: that a check has to come to.
        folder: of the study.
    """

    what: str
    verdict: str
    folder: Path

    @classmethod
    def of(cls, folder: Path, seed: int, number: int) -> Case:
        """Make a case in an empty folder."""
        rng = np.random.default_rng([seed, number])
        kinds = [fault for fault, weight in FAULTS for _ in range(weight)]
        fault = kinds[rng.integers(len(kinds))]
        study = sound(folder, rng, FORMATS[rng.integers(len(FORMATS))])
        what, verdict = fault(study, rng)
        study.write()
        return cls(f"{fault.__name__} ({study.format}): {what}", verdict, folder)

    def judged(self) -> str:
        """Return what is wrong with the verdict that a check comes to; empty where it is right."""
        started = time.process_time()
        with _ended_after(LONGEST_S * 6):
            try:
                study, found = check(self.folder)
                if study is not None and not found.problems.found:
                    plan(study)
            except Exception as error:
                return f"{type(error).__name__}: {str(error)[:300]}"
        told = [str(problem) for problem in found.problems.found]
        came_to = REFUSED if told else WARNED if found.notes else ACCEPTED
        right = self.verdict in (came_to, ANY) or (self.verdict, came_to) == (ACCEPTED, WARNED)
        if not right:
            return f"{came_to}, not {self.verdict}: {(told or found.notes)[:2]}"
        bad = [one for one in told if "\n" in one or len(one) > 2000 or UNFORESEEN.search(one)]
        if bad:
            return f"in bad words: {bad[0][:500]!r}"
        took = time.process_time() - started
        return f"took {took:.1f} s" if took > LONGEST_S else ""


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what takes too long."""

    def end(*_: object) -> None:
        raise TimeoutError(f"after {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wrong_verdicts(folder: Path, seed: int, first: int, last: int) -> list[str]:
    """Return, in words, the cases from `first` to before `last` that a check judges wrongly."""
    found = []
    for number in range(first, last):
        place = folder / str(number)
        place.mkdir()
        case = Case.of(place, seed, number)
        wrong = case.judged()
        if wrong:
            found.append(f"seed {seed}, number {number}: {case.what}: {wrong}")
    return found
