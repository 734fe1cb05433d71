"""The studies of a multiverse in one workflow: what they share, and what is left where one fails.

Each specification is a module of one Snakemake workflow, a study of its own below `multiverse/`. What is equal
upstream is made once: the sections of a study are taken in the order of the data, and all specifications that agree
in those up to a step have its files in one folder, named after the step and what was chosen up to there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.multiverse.specification import Specification
from pipeline.results.layout import Layout
from pipeline.study.specifications import Expanded, expand, in_order
from pipeline.study.study import Study
from pipeline.workflow import targets
from pipeline.workflow.failures import Asked, failed_since, marks
from pipeline.workflow.job import place

URI = "file://"
PREFIX = "spec_"  # of the modules, which must not have the names of other things in the workflow
TARGET = "summarise"  # the stage that ends a specification


@dataclass(frozen=True)
class Step:
    """A stretch of the way that depends on certain sections only, besides those before.

    Attributes:
        name: of the step.
        sections: of the study, and fields beside them.
        stages: rules that do it.
        files: what they write for each recording.
    """

    name: str
    sections: tuple[str, ...]
    stages: tuple[str, ...]
    files: tuple[str, ...]


STEPS = (
    Step(
        "preprocessed",
        ("seed", "data", "recordings", "windows", "conditions", "simulate", "preprocess"),
        ("ingest", "simulate", "truth", "preprocess"),
        ("recording", "truth", "preprocessed"),
    ),
    Step("ensembles", ("ensembles",), ("shared_units", "ensembles"), ("ensembles",)),
    Step("states", ("binarize", "state_codes"), ("lengths", "states"), ("lengths", "windows", "states", "quality")),
    Step("tpm", ("tpm",), ("score", "choose", "tpm"), ("scores", "tpm")),
)


@dataclass(frozen=True, eq=False)
class Specifications:
    """The specifications of a study, each with its own study.

    Attributes:
        study: as it stands.
        expanded: what its grid gives.
        studies: of each specification, by its name.
        made_elsewhere: stages of each that another specification has already.
    """

    study: Study
    expanded: Expanded
    studies: Mapping[str, Study]
    made_elsewhere: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, study: Study) -> Specifications:
        """Return the multiverse of a study.

        Args:
            study: the study.

        Raises:
            PhiscaleError: it has no section `multiverse`, or one with faults.
        """
        if study.parameters.multiverse is None:
            raise PhiscaleError(
                Problem(
                    f"{study.path}: multiverse",
                    "is missing",
                    "It is not known which choices would be as defensible",
                    "add the section with a grid, e.g. "
                    "multiverse: {grid: {binarize.bin_s: [0.4, 0.5], tpm.lag: [1, 2]}}",
                )
            )
        expanded = expand(study.parameters)
        studies = {
            name: replace(study, parameters=parameters, folder=_below(study, name), elsewhere=shared(study, parameters))
            for name, parameters in expanded.parameters.items()
        }
        return cls(study, expanded, studies, _made_elsewhere(studies))

    @property
    def specifications(self) -> tuple[Specification, ...]:
        """Those that are to be run, the main one first."""
        return self.expanded.specifications

    @property
    def _grid(self) -> dict[str, list[Any]]:
        section = self.study.parameters.multiverse
        return {} if section is None else section.grid

    def jobs(self) -> dict[str, int]:
        """Return how many jobs of each stage a run from the start has, as Snakemake counts them."""
        found = Counter({"multiverse": 1, "all": 1})
        for name, study in self.studies.items():
            after = {"matched", "detection", "multiscale", "halves", "compare", "validate", "report", "all", "truth"}
            not_made = after | set(self.made_elsewhere[name])
            found.update({stage: count for stage, count in targets.jobs(study).items() if stage not in not_made})
        return dict(found)

    def omit_of(self, omit: Sequence[str]) -> dict[str, list[str]]:
        """Return what each specification does without.

        Args:
            omit: "SPECIFICATION/RECORDING" and the like, as `targets` calls what is omitted.
        """
        return {
            name: [rest for own, _, rest in (entry.partition("/") for entry in omit) if own == name]
            for name in self.studies
        }

    def whole(self, omit: Sequence[str]) -> list[str]:
        """Return the specifications that are not left out altogether."""
        return [name for name in self.studies if name not in omit]

    def marks(self) -> dict[Path, int]:
        """Return when each note of a failure was written (see `failures.marks`)."""
        return {path: mark for study in self.studies.values() for path, mark in marks(study.layout).items()}

    def failed(self, already: Sequence[str], before: Mapping[Path, int]) -> list[str]:
        """Return what is to be left out besides: what failed, and specifications that came to no end without a word.

        Args:
            already: what was left out so far.
            before: the notes that there were before the run.
        """
        found = {f"{name}/{what}" for name, study in self.studies.items() for what in failed_since(study, before)}
        if found <= set(already):
            found = {name for name in self.whole(already) if not self.studies[name].layout.of_study("summary").exists()}
        return sorted({*already, *found})

    def plain(self) -> dict[str, Any]:
        """Return what the table is made of, as the parameters of a rule."""
        goal = self.expanded.estimand
        return {
            "measure": goal.measure,
            "route": goal.route,
            "macro_scale": goal.macro_scale,
            "contrast": list(goal.contrast),
            "fields": [field for field in in_order(self._grid) if any(field in s.choices for s in self.specifications)],
            "combinations": self.expanded.combinations,
            "left_out": dict(self.expanded.left_out),
            "not_drawn": self.expanded.not_drawn,
            "specifications": [
                {
                    "specification": s.name,
                    "main": s.main,
                    "choices": dict(s.choices),
                    "units": self.studies[s.name].parameters.ensembles.iit,
                    "root": str(self.studies[s.name].root),
                    "elsewhere": dict(self.studies[s.name].elsewhere),
                    "asked": Asked.by(self.studies[s.name]).plain(),
                }
                for s in self.specifications
            ],
        }


def _below(study: Study, name: str) -> Path:
    return study.layout.of_study("multiverse").parent / name


def shared(study: Study, parameters: Any) -> dict[str, str]:
    """Return the folders of what a specification may share, by file and stage.

    Args:
        study: as it stands.
        parameters: of the specification.
    """
    values: dict[str, Any] = parameters.model_dump(mode="json")
    chosen: dict[str, Any] = {}
    found: dict[str, str] = {}
    for step in STEPS:
        chosen |= {section: values[section] for section in step.sections}
        digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:8]
        found |= dict.fromkeys((*step.stages, *step.files), str(_below(study, f"{step.name}-{digest}")))
    return found


def _made_elsewhere(studies: Mapping[str, Study]) -> dict[str, tuple[str, ...]]:
    taken: set[str] = set()
    found = {}
    for name, study in studies.items():
        folders = {stage: study.elsewhere[stage] for step in STEPS for stage in step.stages}
        found[name] = tuple(stage for stage, folder in folders.items() if folder in taken)
        taken |= set(folders.values())
    return found


@cache
def opened(path: str, data: str | None, root: str | None = None) -> Specifications:
    """Return the multiverse of a study, read once for all modules of a workflow.

    Args:
        path: study.yaml, or its folder; as a path, or as a file URI.
        data: folder from which the paths in the sheet start; likewise.
        root: folder of the results, where that is not the study's own.
    """
    return Specifications.of(_loaded(path, data, root))


def _loaded(path: Any, data: Any, root: str | None) -> Study:
    study = Study.load(_plain(path), data=_plain(data))
    return study if root is None else replace(study, folder=Path(root))


def _plain(path: Any) -> Any:
    """Return a path that may stand as a URI, no character of which means anything to a shell or to YAML."""
    text = str(path)
    return os.fsdecode(unquote_to_bytes(text.removeprefix(URI))) if text.startswith(URI) else path


def study_of(config: Mapping[str, Any], default: Path) -> Study:
    """Return the study that a workflow is asked to run: a specification of it where one is named.

    Args:
        config: of the workflow.
        default: study where it names none.
    """
    path, data, root = config.get("study", default), config.get("data"), config.get("root")
    if "specification" in config:
        return opened(str(path), data, root).studies[config["specification"]]
    return _loaded(path, data, root)


def why_failed(layout: Layout, notes: Sequence[Mapping[str, str]]) -> str:
    """Return why a specification has no value.

    Args:
        layout: of its results.
        notes: of what failed in it.
    """
    if notes:
        first = dict(notes[0])
        more = f" (and {len(notes) - 1} more)" if len(notes) > 1 else ""
        return f"{place(first)} ({first['stage']}): {' '.join(first['reason'].split())}{more}"
    log = layout.study_log(TARGET)
    text = log.read_text().strip() if log.exists() else ""
    if text and not text.startswith("done"):
        return f"{TARGET}: {' '.join(text.splitlines()[0].split())}"
    return "no subject has a value in both conditions"
