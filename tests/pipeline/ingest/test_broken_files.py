"""Files that are cut off, scrambled or of another kind: refused in words, never with a traceback."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_files import write_suite2p
from test_readers import ROW, VALUES, write

from pipeline.base.errors import PhiscaleError
from pipeline.ingest import apart, open_recording
from pipeline.ingest.reader import Reader
from pipeline.ingest.registry import READERS

OF_FILES = [reader for reader in READERS.values() if reader.files]


def scrambled(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut a file off, or write over, leave out or repeat a part of it."""
    data = bytearray(content)
    a, b = sorted(rng.integers(0, len(data), 2).tolist())
    kind = rng.integers(5)
    if kind == 0:
        return bytes(data[:a])
    if kind == 1:
        for place in rng.integers(0, len(data), 8):
            data[place] = int(rng.integers(256))
    elif kind == 2:
        data[a : min(b, a + 64)] = bytes(min(b, a + 64) - a)
    elif kind == 3:
        del data[a : min(b, a + 40)]
    else:
        data[a:a] = data[a : min(b, a + 40)]
    return bytes(data)


def opened_or_refused(reader: Reader, row: dict, folder: Path) -> None:
    """Open and look at what a row names; either works, or a message of one line per fault is raised.

    What libraries may not survive is opened in another process, as a check does.
    """
    path = Path(row["path"])
    uses = (lambda: open_recording(row), lambda: [reader.look(part) for part in reader.recordings(path)])
    if reader.apart and path.is_file():
        uses = (lambda: apart.opens({**row, "path": str(path)}), lambda: apart.looks(path))
    for use in uses:
        told = ""
        try:
            use()
        except PhiscaleError as error:
            told = str(error.problems[0])
        assert "\n" not in told


@pytest.mark.parametrize("reader", OF_FILES, ids=lambda reader: reader.name)
@pytest.mark.filterwarnings("ignore")
def test_scrambled_files_are_read_or_refused(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LEAST_S", 5.0)
    rng, row = np.random.default_rng(7), write(tmp_path, reader)
    path = Path(row["path"])
    parts = sorted(path.rglob("*.npy")) if path.is_dir() else [path]
    whole = {part: part.read_bytes() for part in parts}
    for i in range(25):
        part = parts[i % len(parts)]
        part.write_bytes(scrambled(whole[part], rng))
        opened_or_refused(reader, row, tmp_path)
        part.write_bytes(whole[part])


@pytest.mark.parametrize("reader", OF_FILES, ids=lambda reader: reader.name)
@pytest.mark.parametrize("other", OF_FILES, ids=lambda reader: reader.name)
def test_files_of_another_format_are_read_or_refused(reader: Reader, other: Reader, tmp_path: Path) -> None:
    if other is not reader:
        opened_or_refused(reader, {**write(tmp_path, other), "format": reader.name}, tmp_path)


def test_a_wrong_file_of_a_folder_is_refused(tmp_path: Path) -> None:
    folder = write_suite2p(tmp_path / "plane0", VALUES)
    np.save(folder / "iscell.npy", np.array(["a", "b", "c"]))
    row = {**ROW, "format": "suite2p", "path": folder, "um_per_pixel": 1}
    opened_or_refused(READERS["suite2p"], row, tmp_path)
    np.save(folder / "iscell.npy", np.ones((3, 2)))
    np.save(folder / "stat.npy", np.array([{"ypix": [1]}] * 3, dtype=object), allow_pickle=True)
    opened_or_refused(READERS["suite2p"], row, tmp_path)
    np.save(folder / "stat.npy", np.zeros(2))
    opened_or_refused(READERS["suite2p"], row, tmp_path)
