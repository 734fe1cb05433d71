"""What tells the workflow that a file of a recording was replaced."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import yaml
from bad_studies import write_recording, write_study
from made_files import write_suite2p

from pipeline.study.study import Study
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
