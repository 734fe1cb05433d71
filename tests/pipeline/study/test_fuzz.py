"""Random faults of studies, sheets and files: never a traceback, never the wrong verdict, told in words and in time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fuzzing import wrong_verdicts
from numeric_fields import NUMBERS

from pipeline.ingest import apart
from pipeline.study.parameters import Parameters

SEED = int(os.environ.get("PHISCALE_FUZZ_SEED", "20261125"))
FEW, MANY, AT_ONCE = 40, 1000, 100


def test_every_number_of_a_study_has_limits() -> None:
    assert len(NUMBERS) > 80
    assert [one.field for one in NUMBERS if one.low is None or one.high is None] == []
    for one in NUMBERS:
        assert -1e19 < one.low < one.high < 1e19, one.field


@pytest.mark.filterwarnings("ignore")
def test_a_few_random_faults(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    assert wrong_verdicts(tmp_path, SEED, 0, FEW) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("first", range(0, MANY, AT_ONCE))
def test_many_random_faults(first: int, tmp_path: Path) -> None:
    """PHISCALE_FUZZ_SEED takes others; each is told with the number that makes it again."""
    print(f"seed {SEED}, from {first}")
    assert wrong_verdicts(tmp_path, SEED, first, first + AT_ONCE) == []


def test_a_file_that_ends_its_reader_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that reads it for us is started anew for the next."""
    monkeypatch.setattr(apart, "CODE", apart.CODE.replace("serve(", "import os; os.kill(os.getpid(), 11); serve("))
    monkeypatch.setattr(apart, "_server", None)
    row = {"recording": "m1", "subject": "m1", "path": str(tmp_path / "a.h5"), "format": "hdf5"}
    with pytest.raises(Exception, match=r"recording 'm1', .*a\.h5: ends the process that reads it \(SIGSEGV\)"):
        apart.opens(row)
    monkeypatch.undo()
    with pytest.raises(Exception, match="does not exist"):
        apart.opens(row)


def test_a_file_that_is_read_for_ever_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "CODE", "import time; time.sleep(60)")
    monkeypatch.setattr(apart, "_server", None)
    monkeypatch.setattr(apart, "START_S", 0.1)
    monkeypatch.setattr(apart, "LEAST_S", 0.1)
    row = {"recording": "m1", "subject": "m1", "path": str(tmp_path / "a.h5"), "format": "hdf5"}
    with pytest.raises(Exception, match=r"is not read after 0 s"):
        apart.opens(row)
    assert apart._server is not None
    assert apart._server.ended


def test_the_limits_stand_in_the_template() -> None:
    assert Parameters.model_json_schema()["$defs"]["Preprocess"]["properties"]["highpass_s"]["maximum"] == 1e6
