"""Where everything of a study lies below its results folder: the only module that knows.

Rules ask for patterns (the recording left open), jobs, readers and the report for paths. Stages that work on windows
write one file per recording, a group in it for each window and system: `tpm/R.nc` holds `WINDOW/micro-4`, `macro/R.nc`
`WINDOW/macro_units-2`, `phi/R.nc` and `nulls/R.nc` both, `encoder/R.nc` `WINDOW/latents-32`.

Specifications of a multiverse are studies of their own below `multiverse/`; what several of them have in common lies
beside them once, which `Layout.elsewhere` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

StudyFile = Literal[
    "summary",
    "nulls",
    "fits",
    "halves",
    "comparison",
    "classification",
    "truth",
    "true_groupings",
    "estimator",
    "page",
    "methods",
    "figures",
    "provenance",
    "problems",
    "dynamics",
    "fixed_points",
    "stability",
    "multiverse",
    "multiverse_facts",
    "multiverse_page",
]
RecordingFile = Literal[
    "recording",
    "truth",
    "preprocessed",
    "ensembles",
    "lengths",
    "windows",
    "states",
    "quality",
    "scores",
    "tpm",
    "macro",
    "phi",
    "nulls",
    "matched",
    "detection",
    "encoder",
    "encoder_weights",
    "joint",
    "joint_weights",
    "macro_model",
]

OF_STUDY: dict[StudyFile, str] = {
    "summary": "summary.csv",
    "nulls": "nulls.csv",
    "fits": "fits.csv",
    "halves": "halves.csv",
    "comparison": "comparison.csv",
    "classification": "classification.csv",
    "truth": "truth.csv",
    "true_groupings": "true_groupings.csv",
    "estimator": "estimator.json",
    "page": "report.html",
    "methods": "methods.md",
    "figures": "figures",
    "provenance": "provenance.json",
    "problems": "problems.json",
    "dynamics": "dynamics.csv",
    "fixed_points": "fixed_points.csv",
    "stability": "stability.csv",
    "multiverse": "multiverse/multiverse.csv",
    "multiverse_facts": "multiverse/multiverse.json",
    "multiverse_page": "multiverse/report.html",
}
SharedFile = Literal["units", "macro"]
OF_SHARING: dict[SharedFile, str] = {"units": "shared/{name}-k{k}.json", "macro": "shared/{name}-macro.json"}
OF_RECORDING: dict[RecordingFile, str] = {
    "recording": "recordings/{recording}.nc",
    "truth": "recordings/{recording}.truth.json",
    "preprocessed": "preprocessed/{recording}.nc",
    "ensembles": "ensembles/{recording}-k{k}.nc",
    "lengths": "lengths/{recording}.json",
    "windows": "windows/{recording}.csv",
    "states": "states/{recording}-k{k}.nc",
    "quality": "quality/{recording}.csv",
    "scores": "scores/{recording}.json",
    "tpm": "tpm/{recording}.nc",
    "macro": "macro/{recording}.nc",
    "phi": "phi/{recording}.nc",
    "nulls": "nulls/{recording}.nc",
    "matched": "matched/{recording}.csv",
    "detection": "detection/{recording}.csv",
    "encoder": "encoder/{recording}.nc",
    "encoder_weights": "encoder/{recording}.pt",
    "joint": "joint/{recording}.nc",
    "joint_weights": "joint/{recording}.pt",
    "macro_model": "macro_model/{recording}.nc",
}


class SystemKey(NamedTuple):
    """What one dataset under tpm/, macro/, phi/ and nulls/ is about."""

    recording: str
    window: str
    route: str
    scale: int

    @property
    def system(self) -> str:
        """Name of the system in its window.

        >>> SystemKey("m1", "awake", "micro", 4).system
        'micro-4'
        """
        return f"{self.route}-{self.scale}"

    @property
    def group(self) -> str:
        """Group of the system in the files of its recording.

        >>> SystemKey("m1", "awake", "micro", 4).group
        'awake/micro-4'
        """
        return f"{self.window}/{self.system}"

    @classmethod
    def of_group(cls, recording: str, group: str) -> SystemKey:
        """Return the key of a group in a file of a recording.

        Args:
            recording: name of the recording.
            group: name of the group, "WINDOW/ROUTE-SCALE".

        >>> SystemKey.of_group("m1", "awake/macro_units-2")
        SystemKey(recording='m1', window='awake', route='macro_units', scale=2)
        """
        window, _, system = group.rpartition("/")
        route, _, scale = system.rpartition("-")
        return cls(recording, window, route, int(scale))


@dataclass(frozen=True)
class Layout:
    """Paths below the results folder of one study.

    Attributes:
        root: the folder.
        elsewhere: folders in place of it, by the name of a file of a recording or of a stage (its log and notes).

    >>> Layout("results/demo").of_study("summary").as_posix()
    'results/demo/summary.csv'
    >>> Layout("results/demo").of("states", "m1", 4).as_posix()
    'results/demo/states/m1-k4.nc'
    >>> Layout("results/demo").of("phi").as_posix()
    'results/demo/phi/{recording}.nc'
    """

    root: str | Path
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def root_of(self, name: str) -> Path:
        """Return the folder that a file of a recording, or what a stage writes, lies below.

        Args:
            name: of the file (`OF_RECORDING`) or of the stage.
        """
        return Path(self.elsewhere.get(name, self.root))

    @property
    def roots(self) -> list[Path]:
        """All folders below which something of the study lies, its own first."""
        return [Path(root) for root in dict.fromkeys([str(self.root), *self.elsewhere.values()])]

    def of_study(self, name: StudyFile) -> Path:
        """Return the path of a file that the study has once."""
        return Path(self.root) / OF_STUDY[name]

    def parquet(self, name: StudyFile) -> Path:
        """Return the path of a table's twin in Parquet."""
        return self.of_study(name).with_suffix(".parquet")

    def of(self, name: RecordingFile, recording: str = "{recording}", k: int | str = "{k}") -> Path:
        """Return the path of a file of a recording, or the pattern of all of them.

        Args:
            name: what the file holds.
            recording: name of the recording; left open by default.
            k: number of units, in the name of `ensembles` and `states`; left open by default.
        """
        return self.root_of(name) / OF_RECORDING[name].format(recording=recording, k=k)

    def shared(self, what: SharedFile, name: str = "{name}", k: int | str = "{k}") -> Path:
        """Return a file of what recordings share, or the pattern of all of them.

        Args:
            what: units, or macro units.
            name: of the subject or study whose recordings they are; left open by default.
            k: number of units, in the name of `units`; left open by default.
        """
        return self.root_of(f"shared_{what}") / OF_SHARING[what].format(name=name, k=k)

    def log(self, stage: str, recording: str = "{recording}", k: int | str | None = None) -> Path:
        """Return the log of a job of a recording, or the pattern of it.

        Args:
            stage: rule of the job.
            recording: name of the recording; left open by default.
            k: number of ensembles, for a job of one grouping.
        """
        return self.root_of(stage) / "logs" / stage / (recording + (f"-k{k}" if k is not None else "") + ".log")

    def study_log(self, stage: str) -> Path:
        """Return the log of a job that the study has once."""
        return Path(self.root) / "logs" / f"{stage}.log"

    def logs(self) -> list[Path]:
        """Return the logs that are there."""
        return sorted(path for root in self.roots for path in (root / "logs").rglob("*.log"))

    def note(self, stage: str, recording: str, *part: str) -> Path:
        """Return where it is noted that a stage failed for a recording.

        Args:
            stage: rule of the job.
            recording: name of the recording.
            part: window and system, where only these failed.
        """
        return self.root_of(stage) / "failed" / ("--".join([stage, recording, *part]) + ".json")

    def notes(self) -> list[Path]:
        """Return the notes that are there; those that are just being written have a dot before their name."""
        found = (path for root in self.roots for path in (root / "failed").glob("*.json"))
        return sorted(path for path in found if not path.name.startswith("."))


def tpm_file(route: str) -> RecordingFile:
    """Return which file of a recording holds the TPMs of a route."""
    files: dict[str, RecordingFile] = {"micro": "tpm", "macro_model": "macro_model"}
    return files.get(route, "macro")
