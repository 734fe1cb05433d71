"""What the workflow makes of a study: which jobs, which systems in each window, and which files go into the tables.

`omit` names what failed before and is left out: "RECORDING", or one stage of it that others can do without
("RECORDING:macro", "RECORDING:truth").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.base.compared import compared_together
from pipeline.nulls.registry import NULLS
from pipeline.results.columns import MACRO_MODEL
from pipeline.results.layout import RecordingFile, StudyFile
from pipeline.study.sheets import FILE_COLUMNS
from pipeline.study.study import Study


def systems(study: Study) -> list[str]:
    """Return the systems that are analysed in each window: the units, then the macro units at each scale."""
    parameters = study.parameters
    return [
        f"micro-{parameters.ensembles.iit}",
        *(f"macro_units-{d}" for d in parameters.macro_scales),
    ]


def learned_systems(study: Study) -> list[str]:
    """Return the macro models that are analysed in each window, beside the systems; none without an encoder."""
    encoder = study.parameters.encoder
    return [] if encoder is None else [f"{MACRO_MODEL}-{d}" for d in encoder.macro_models]


def simulated(study: Study) -> list[str]:
    """Return the recordings that are to be simulated."""
    return [name for name in study.names if study.row(name)["format"] == "simulate"]


def known(study: Study) -> list[str]:
    """Return the recordings of which something is known to be true."""
    return [name for name in study.names if study.row(name)["format"] == "simulate" or study.row(name).get("truth")]


def nulls_on_traces(study: Study) -> bool:
    """Tell whether a null is asked for that is drawn of the ensembles' activity and binarized anew."""
    return any(NULLS[kind].acts_on == "traces" for kind in study.parameters.nulls.kinds)


def chooses(study: Study) -> bool:
    """Tell whether the study leaves it to its recordings which estimator is used."""
    return study.parameters.tpm.method == "auto"


def sharing(study: Study) -> dict[str, list[str]]:
    """Return the recordings that share their units, by subject or under the name of the study; none by default."""
    among = study.parameters.ensembles.grouping
    if among == "recording":
        return {}
    found: dict[str, list[str]] = {}
    for name in study.names:
        found.setdefault(study.parameters.study if among == "study" else study.row(name)["subject"], []).append(name)
    return found


def shared_by(study: Study, recording: str) -> str:
    """Return the name under which a recording shares its units with others; empty where it does not."""
    return next((name for name, members in sharing(study).items() if recording in members), "")


def members(study: Study, name: str, file: RecordingFile, omit: Sequence[str] = ()) -> list[str]:
    """Return the recordings that take part in what is shared.

    One that failed later, and has the file that is asked of it, stays: units must not change, and all that was made of
    them not be made again, because another recording failed.

    Args:
        study: the study.
        name: under which recordings share.
        file: that each of them gives.
        omit: what failed before and is left out.
    """
    return [n for n in sharing(study)[name] if n not in omit or study.layout.of(file, n).exists()]


def shared_units(study: Study, recording: str, k: str) -> list[Path]:
    """Return the file of the units that a recording shares with others; none where it has its own.

    Args:
        study: the study.
        recording: name of the recording.
        k: number of units.
    """
    name = shared_by(study, recording)
    return [study.layout.shared("units", name, k)] if name else []


def shared_macro(study: Study, recording: str) -> list[Path]:
    """Return the file of the macro units that a recording shares with others; none where it has its own.

    Args:
        study: the study.
        recording: name of the recording.
    """
    name = shared_by(study, recording) if study.parameters.macro.grouping == "recording" else ""
    return [study.layout.shared("macro", name)] if name else []


def matched_with(study: Study) -> dict[str, list[str]]:
    """Return the recordings whose windows are cut to one length, by recording, of those that are not alone in it."""
    if not study.parameters.binarize.match_length:
        return {}
    return {name: group for name, group in compared_with(study).items() if len(group) > 1}


def compared_with(study: Study) -> dict[str, list[str]]:
    """Return the recordings of its subject that a recording is compared with, itself among them, by recording."""
    subjects: dict[str, list[str]] = {}
    for name in study.names:
        subjects.setdefault(study.row(name)["subject"], []).append(name)
    groups = [
        group for names in subjects.values() for group in compared_together({n: study.conditions_of(n) for n in names})
    ]
    return {name: group for group in groups for name in group}


def jobs(study: Study) -> dict[str, int]:
    """Return how many jobs of each stage a run from the start has, as Snakemake counts them."""
    n, of_simulation = len(study.names), len(simulated(study))
    groupings = len({study.parameters.ensembles.iit, encoder_units(study)})
    found = {
        "ingest": n - of_simulation,
        "simulate": of_simulation,
        "truth": len(known(study)) - of_simulation,
        "shared_units": groupings * len(sharing(study)),
        "lengths": len(matched_with(study)),
        **dict.fromkeys(("preprocess", "states", "tpm"), n),
        "ensembles": groupings * n,
        **({"score": n, "choose": 1} if chooses(study) else {}),
        "shared_macro": len({path for name in study.names for path in shared_macro(study, name)})
        if study.parameters.macro_scales
        else 0,
        "macro": n if study.parameters.macro_scales else 0,
        **dict.fromkeys(("phi", "nulls"), n),
        "encode": n if study.parameters.encoder else 0,
        "macro_model": n if learned_systems(study) else 0,
        "multiscale": 1 if study.parameters.encoder else 0,
        "matched": n if _matches(study) else 0,
        "detection": len(_of_several_windows(study)),
        **dict.fromkeys(("summarise", "halves", "compare", "validate", "report", "all"), 1),
    }
    return {stage: count for stage, count in found.items() if count}


def files(
    study: Study, name: RecordingFile, omit: Sequence[str] = (), among: Sequence[str] | None = None
) -> list[Path]:
    """Return a file of every recording that is not omitted.

    Args:
        study: the study.
        name: which file.
        omit: what failed before and is left out: "RECORDING" or "RECORDING:name of the file".
        among: of these recordings; None for all.
    """
    layout, stage = study.layout, f":{name}"
    return [
        layout.of(name, recording, study.parameters.ensembles.iit)
        for recording in (study.names if among is None else among)
        if recording not in omit and recording + stage not in omit
    ]


def tpms(study: Study, recording: str, omit: Sequence[str] = ()) -> list[Path]:
    """Return the files of a recording that hold the TPMs of its systems.

    Args:
        study: the study.
        recording: name of the recording.
        omit: what failed before and is left out.
    """
    return [study.layout.of("tpm", recording), *macro(study, omit, [recording])]


def macro(study: Study, omit: Sequence[str], among: Sequence[str]) -> list[Path]:
    """Return the files of these recordings that hold the TPMs of macro units, as far as there are to be any.

    Args:
        study: the study.
        omit: what failed before and is left out.
        among: the recordings.
    """
    return files(study, "macro", omit, among) if study.parameters.macro_scales else []


def macro_models(study: Study, omit: Sequence[str], among: Sequence[str]) -> list[Path]:
    """Return the files of these recordings that hold the TPMs of macro models, as far as there are to be any.

    Args:
        study: the study.
        omit: what failed before and is left out.
        among: the recordings.
    """
    return files(study, "macro_model", omit, among) if learned_systems(study) else []


def _matches(study: Study) -> bool:
    """Tell whether values are to be matched in length and rate: where there are two conditions to compare."""
    return bool(study.parameters.compare.repeats and study.contrasts())


def matched(study: Study, omit: Sequence[str] = ()) -> list[Path]:
    """Return the files of values matched in length and rate, as far as there are to be any.

    Args:
        study: the study.
        omit: what failed before and is left out.
    """
    return files(study, "matched", omit) if _matches(study) else []


def _of_several_windows(study: Study) -> list[str]:
    """Return the recordings with windows to be compared under equal detection; state codes may give several."""
    if not study.parameters.nulls.detection:
        return []
    return [n for n in study.names if study.row(n).get("state_codes") or len(study.sheet_of(n)) > 1]


def detection(study: Study, omit: Sequence[str] = ()) -> list[Path]:
    """Return the files of what equal detection leaves of differences, as far as there are to be any.

    Args:
        study: the study.
        omit: what failed before and is left out.
    """
    return files(study, "detection", omit, _of_several_windows(study))


def values_of(study: Study, recording: str) -> list[Path]:
    """Return the files that hold all values of a recording, of which tables are made.

    Args:
        study: the study.
        recording: name of the recording.
    """
    names: list[RecordingFile] = ["quality", "phi", "nulls"]
    if _matches(study):
        names.append("matched")
    if recording in _of_several_windows(study):
        names.append("detection")
    if recording in known(study):
        names.append("truth")
    return [path for name in names for path in files(study, name, among=[recording])]


def problems(study: Study) -> list[Path]:
    """Return the file of what a check found that the study was run in spite of, if there is any.

    Args:
        study: the study.
    """
    path = study.layout.of_study("problems")
    return [path] if path.exists() else []


def of_subject(study: Study, name: RecordingFile, recording: str, omit: Sequence[str] = ()) -> list[Path]:
    """Return a file of every recording of the subject that one recording is of.

    Args:
        study: the study.
        name: which file.
        recording: name of the recording.
        omit: what failed before and is left out.
    """
    subject = study.row(recording)["subject"]
    return files(study, name, omit, [other for other in study.names if study.row(other)["subject"] == subject])


def section(study: Study, name: str, *without: str) -> dict[str, Any]:
    """Return one section of the parameters as plain values, so that a rule depends on no other.

    Args:
        study: the study.
        name: of the section; one that the study leaves out gives no fields.
        *without: fields that are left out.
    """
    value = getattr(study.parameters, name)
    plain = {} if value is None else value.model_dump(mode="json")
    return {field: held for field, held in plain.items() if field not in without}


def encoder(study: Study) -> dict[str, Any]:
    """Return how macro units are learned, as plain values (`macro.How`).

    Args:
        study: the study.
    """
    own = section(study, "macro", "scales", "grouping", "random_groupings", "cross_fit")
    return own | {"formalism": study.parameters.iit.formalism}


def raw_files(study: Study, recording: str, columns: tuple[str, ...] = FILE_COLUMNS) -> list[str]:
    """Return the files of a recording that exist; a missing one is the failure of its own job, not of the whole run.

    Args:
        study: the study.
        recording: name of the recording.
        columns: columns of the sheet that name files.
    """
    row = study.row(recording)
    return [row[column] for column in columns if row.get(column) and Path(row[column]).exists()]


def stamps(study: Study, recording: str, columns: tuple[str, ...] = FILE_COLUMNS) -> list[list[int]]:
    """Return what changes when a file of a recording is replaced, also by an older one: size and time of each.

    Args:
        study: the study.
        recording: name of the recording.
        columns: columns of the sheet that name files.
    """
    return stamped(raw_files(study, recording, columns))


def stamped(paths: Iterable[str | Path]) -> list[list[int]]:
    """Return size and time of files, and of all arrays in folders.

    Args:
        paths: of both; what is gone has none.
    """
    found = []
    for path in map(Path, paths):
        for file in sorted(path.rglob("*.npy")) if path.is_dir() else [path]:
            with suppress(FileNotFoundError):
                told = file.stat()
                found.append([told.st_size, told.st_mtime_ns])
    return found


def encoder_units(study: Study) -> int:
    """Return the number of ensembles that the hierarchy begins with; that of IIT where there is to be none."""
    encoder = study.parameters.encoder
    return encoder.units if encoder else study.parameters.ensembles.iit


def encoded(study: Study, omit: Sequence[str] = ()) -> list[Path]:
    """Return the files of learned hierarchies, as far as there are to be any.

    Args:
        study: the study.
        omit: what failed before and is left out.
    """
    return files(study, "encoder", omit) if study.parameters.encoder else []


def joint(study: Study, omit: Sequence[str] = ()) -> list[Path]:
    """Return the files of latents that the windows of a recording have in common, as far as there are to be any.

    Args:
        study: the study.
        omit: what failed before and is left out.
    """
    without = [name for name in study.names if f"{name}:macro_model" not in omit]
    return files(study, "joint", omit, without) if learned_systems(study) else []


def multiscale(study: Study) -> list[Path]:
    """Return the tables of learned dynamics, as far as there are to be any.

    Args:
        study: the study.
    """
    names: tuple[StudyFile, ...] = ("dynamics", "fixed_points", "stability")
    return [study.layout.of_study(name) for name in names] if study.parameters.encoder else []


def multiverse(study: Study) -> list[Path]:
    """Return the table of the study's specifications, if they were run.

    Args:
        study: the study.
    """
    table = study.layout.of_study("multiverse")
    return [table] if table.exists() else []


def recordings_table(study: Study) -> list[dict[str, str]]:
    """Return the sheet of recordings with file names in place of whole paths, which say nothing to a reader."""
    rows: list[dict[str, str]] = study.recordings.to_dict("records")
    return [
        {name: Path(value).name if name in FILE_COLUMNS and value else value for name, value in row.items()}
        for row in rows
    ]
