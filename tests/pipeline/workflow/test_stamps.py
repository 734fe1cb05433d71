"""What tells the workflow that a file of a recording was replaced."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from bad_studies import write_recording, write_study
from made_files import write_suite2p

from pipeline.base.errors import PhiscaleError
from pipeline.study.study import Study
from pipeline.workflow.stages import ingest
from pipeline.workflow.targets import stamps


def test_an_older_file_in_its_place_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(write_study(tmp_path)))
    study = Study.load(tmp_path)
    before = stamps(study, "m1"), stamps(study, "m2")
    write_recording(tmp_path / "m1.csv")
    os.utime(tmp_path / "m1.csv", (1e9, 1e9))
    assert stamps(study, "m1") != before[0]
    assert stamps(study, "m2") == before[1]


def test_of_a_folder_every_array_counts(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(write_study(tmp_path)))
    sheet = (tmp_path / "recordings.tsv").read_text().replace("m1.csv\tcsv", "plane0\tsuite2p")
    (tmp_path / "recordings.tsv").write_text(sheet)
    write_suite2p(tmp_path / "plane0", np.random.default_rng(0).normal(size=(3000, 4)))
    study = Study.load(tmp_path)
    before = stamps(study, "m1")
    os.utime(tmp_path / "plane0" / "iscell.npy", (1e9, 1e9))
    assert stamps(study, "m1") != before


def test_a_recording_that_is_replaced_while_it_is_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(write_study(tmp_path)))
    study, read = Study.load(tmp_path), ingest.ingest_into
    job = SimpleNamespace(
        recording="m1",
        input=SimpleNamespace(raw=[str(tmp_path / "m1.csv")]),
        output=SimpleNamespace(recording=str(tmp_path / "m1.nc")),
        params=SimpleNamespace(row=study.row("m1")),
    )
    ingest.run(job)
    assert (tmp_path / "m1.nc").exists()

    def replaced(path: str, row: dict[str, object]) -> None:
        read(path, row)
        os.utime(tmp_path / "m1.csv", (1e9, 1e9))

    monkeypatch.setattr(ingest, "ingest_into", replaced)
    with pytest.raises(PhiscaleError, match=r"recording 'm1', .*m1\.csv: was replaced while it was read"):
        ingest.run(job)
    assert not (tmp_path / "m1.nc").exists()
