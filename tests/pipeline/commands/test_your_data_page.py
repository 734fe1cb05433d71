"""The commands of the pages docs/data run as they stand there, on files of the names that they give."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from made_files import write_caiman, write_nwb, write_suite2p
from test_init_from import transients

from pipeline.cli import main
from pipeline.ingest.registry import READERS, option_columns

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = {path.stem: path.read_text() for path in sorted((DOCS / "data").glob("*.md"))}
PAGE = "\n".join([(DOCS / "your-data.md").read_text(), *PAGES.values()])


def commands() -> dict[str, list[str]]:
    """Commands by page."""
    found = {}
    for name, page in PAGES.items():
        blocks = re.findall(r"^```\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
        lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
        if given := [line for line in lines if line.startswith("phiscale ")]:
            found[name] = given
    return found


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = transients()
    write_suite2p(Path("session1/suite2p/plane0"), values)
    path = write_nwb(Path("mouse7.nwb"), values)
    with h5py.File(path, "a") as file:
        file["intervals/epochs/start_time"][:], file["intervals/epochs/stop_time"][:] = [0, 100, 200], [100, 200, 300]
    write_caiman(Path("result.hdf5"), values - 20)
    rows = [f"{i / 10}, " + ", ".join(f"{value:.4g}" for value in row) for i, row in enumerate(values - 20)]
    head = [" , C0, C1, C2, C3, C4, C5", "Time(s)/Cell Status" + ", accepted" * 5 + ", rejected"]
    Path("traces.csv").write_text("\n".join([*head, *rows]))
    with h5py.File("worm.h5", "w") as file:
        file["gcamp/traces"], file["gcamp/zscored"] = values, values / 20 - 1
        file["timing/t"], file["behavior/reversal"] = 5e5 + np.arange(3000) / 10, np.repeat([0, 1], 1500)
    Path("session_1").mkdir()
    scipy.io.savemat("session_1/dff.mat", {"traces": values - 20})
    scipy.io.savemat("session_1/hypnogram.mat", {"codes": np.repeat([1.0, 2.0, 3.0], 1000)})
    np.save("parcels.npy", np.random.default_rng(0).normal(size=(8, 300)))
    rng = np.random.default_rng(0)
    np.savez("sorted.npz", spike_times=rng.uniform(0, 300, 4000), spike_clusters=rng.integers(0, 6, 4000))


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("page", commands())
def test_the_commands_of_a_page_run(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands()[page]:
        arguments = shlex.split(command)[1:]
        assert main(arguments) == 0, capsys.readouterr().err
        said = capsys.readouterr().out
        assert arguments[0] != "check" or "no problem found" in said


def test_the_pages_have_every_format_and_column() -> None:
    assert len(commands()) == 7
    named = {"csv", "npy", "netcdf", "simulate"}  # in words, or on the page of the study
    for name in set(READERS) - named:
        assert name in PAGE.lower()
    for column in set(option_columns()) - {"neuropil_dataset", "state_codes", "state_rate_hz", "truth"}:
        assert f"`{column}`" in PAGE or f"{column}=" in PAGE, column
