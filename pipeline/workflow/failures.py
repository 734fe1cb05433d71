"""What failed in a study, and how the rest of it is finished without."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.base.files import save_json
from pipeline.study.study import Study
from pipeline.workflow import targets
from pipeline.workflow.job import RUNNING, noted

KILLED = "the job was killed from outside (out of memory, or out of time?)"


def failures(study: Study) -> list[dict[str, str]]:
    """Return the failures that concern the study as it stands now: {recording, [window,] stage, reason, ...}.

    Notes of jobs that the study no longer asks for (a scale or a window that was removed) are left out.
    """
    return [note for note in noted(study.root) if _asked_for(study, note)]


def _asked_for(study: Study, note: dict[str, str]) -> bool:
    name, p = note["recording"], study.parameters
    return (
        name in study.names
        and ("window" not in note or note["window"] in study.window_names(name))
        and ("system" not in note or note["system"] in targets.systems(study))
        and ("scale" not in note or int(note["scale"]) in p.macro.scales)
        and ("k" not in note or int(note["k"]) in (p.ensembles.iit, p.ensembles.dynamics))
        and (note["stage"] != "truth" or bool(study.row(name).get("truth")))
    )


def omitted(study: Study, note: dict[str, str]) -> str:
    """Return what has to be left out because of a failure, in the terms of `targets`."""
    name, p = note["recording"], study.parameters
    if "window" not in note:
        dynamics = note["stage"] == "ensembles" and int(note["k"]) != p.ensembles.iit
        return f"{name}:dynamics" if dynamics else name
    place = f"{name}/{note['window']}"
    if "system" in note:
        return f"{place}/{note['system']}"
    return f"{place}/macro_units-{note['scale']}" if "scale" in note else place


def place(note: dict[str, str]) -> str:
    """Return what a failure is about, in words."""
    parts = [note["recording"]]
    parts += [f"window {note['window']}"] if "window" in note else []
    parts += [note["system"]] if "system" in note else []
    return ", ".join(parts)


def note_killed(study: Study) -> None:
    """Note jobs that ended without a word: their log still says that they run."""
    for log in sorted((study.root / "logs").rglob("*.log")):
        wildcards = _wildcards(log.relative_to(study.root / "logs"))
        if wildcards and log.read_text() == RUNNING:
            file = "--".join([wildcards["stage"], *list(wildcards.values())[1:]]) + ".json"
            save_json({**wildcards, "reason": KILLED}, study.root / "failed" / file)


def _wildcards(log: Path) -> dict[str, str]:
    """Return stage and wildcards of a job from where its log lies: STAGE/RECORDING[-kK] or STAGE/R/W/SYSTEM."""
    parts = list(log.with_suffix("").parts)
    if len(parts) == 2:
        name, _, k = parts[1].partition("-k")
        return {"stage": parts[0], "recording": name, **({"k": k} if k else {})}
    if len(parts) == 4:
        system = {"k": parts[3].partition("-")[2]} if parts[0] == "tpm" else {"system": parts[3]}
        if parts[0] == "coarse_grain":
            system = {"scale": parts[3].partition("-")[2]}
        return {"stage": parts[0], "recording": parts[1], "window": parts[2], **system}
    return {}


def finish_without_failed(workflow: Any, study: Study, already: tuple[str, ...], config: dict[str, Any]) -> None:
    """Run the workflow once more without what failed; only after --keep-going, and only once.

    `workflow` is Snakemake's object of the run that has just ended with errors, `already` what it left out.
    """
    if already:
        return
    note_killed(study)
    failed = failures(study)
    for failure in failed:
        print(f"failed: {place(failure)} ({failure['stage']}): {failure['reason']}", file=sys.stderr)
    if not failed:
        return
    if not workflow.execution_settings.keep_going:
        print("To get tables and report of the rest, run with --keep-going.", file=sys.stderr)
        return
    omit = sorted({omitted(study, failure) for failure in failed})
    settings = {**config, "omit": json.dumps(omit)}
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        workflow.main_snakefile,
        "--nolock",
    ]
    command += ["--cores", str(workflow.cores or 1)]
    command += ["--config", *(f"{name}={value}" for name, value in settings.items())]
    subprocess.run(command, check=False)
