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
from typing import Any

import numpy as np
from hostile_files import ACCEPTED, HOSTILE, REFUSED
from numeric_fields import NUMBERS
from sound_study import ENDINGS, FORMATS, FRAMES, HEADER, Sound, sound, values_of, write_rows, write_values

from pipeline.study.check import check
from pipeline.study.parameters import Parameters
from pipeline.workflow.plan import plan

WARNED, ANY = "warned", "any"
LONGEST_S = 10.0
UNFORESEEN = re.compile(r"(cannot be read|unexpected) \(?\w*(Error|Exception|Warning)\b")  # a library's words, not ours
# fields that a check has nothing to hold against, so that all that lies within their limits is accepted
FREE = (
    *("seed", "compare.bootstrap", "compare.permutations", "compare.confidence", "compare.repeats"),
    *("macro.restarts", "macro.steps", "macro.random_groupings", "iit.structures", "iit.min_visits"),
    *("iit.min_row_visits", "iit.big_phi_draws", "nulls.hidden_surrogates", "nulls.detection", "tpm.draws"),
)


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


def text_over(study: Sound, rng: np.random.Generator) -> Made:
    """A sheet or study.yaml with characters written over."""
    study.write()
    name = ("study.yaml", "recordings.tsv", "windows.tsv")[rng.integers(3)]
    data = bytearray((study.folder / name).read_bytes())
    odd = b"\x00\xff\t\n\r:{}[]&*!|>'\"%@`#-0aZ\xc3\xa9"
    for place in rng.integers(0, len(data), rng.integers(1, 4)):
        data[place] = odd[rng.integers(len(odd))]
    (study.folder / name).write_bytes(data)
    study.text = bytes(data) if name == "study.yaml" else None
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
