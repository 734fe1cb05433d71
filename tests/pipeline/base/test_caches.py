"""Folders for what libraries compile: the user's own, or where that is barred one that only this user can write."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.base import caches
from pipeline.base.errors import PhiscaleError


@pytest.fixture
def barred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No home, and a folder for temporary files that is empty."""
    monkeypatch.setattr(os, "environ", {"HOME": "/proc/nobody"})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(caches, "_provided", [])
    return tmp_path


def test_the_own_folder_is_used_where_it_can_be(barred: Path) -> None:
    os.environ["XDG_CACHE_HOME"] = str(barred / "own")
    caches.provide()
    assert os.environ["XDG_CACHE_HOME"] == str(barred / "own")
    assert caches.beside(barred) == {}


def test_without_a_home_a_temporary_folder_is_used_and_by_runs_one_in_their_results(barred: Path) -> None:
    caches.provide()
    folder = barred / f"phiscale-{os.getuid()}"
    assert os.environ["XDG_CACHE_HOME"] == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert caches.beside(barred)["XDG_CACHE_HOME"] == str(barred / ".cache")


@pytest.mark.parametrize("trap", ["open to others", "a link"])
def test_a_folder_that_others_could_have_filled_is_not_used(trap: str, barred: Path) -> None:
    """Compiled functions are read back as pickles."""
    folder = barred / f"phiscale-{os.getuid()}"
    if trap == "a link":
        (barred / "theirs").mkdir(mode=0o700)
        folder.symlink_to(barred / "theirs")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    caches.provide()
    assert os.environ["XDG_CACHE_HOME"].startswith(f"{barred}/phiscale-")
    assert os.environ["XDG_CACHE_HOME"] != str(folder)


def test_no_folder_at_all_is_told(barred: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    with pytest.raises(PhiscaleError, match=r"no folder can be written .* Fix: set XDG_CACHE_HOME or TMPDIR"):
        caches.provide()


def test_compiled_functions_of_a_package_that_is_read_only_are_kept_there(tmp_path: Path) -> None:
    """What numba says of a package that cannot be written without it: no locator available."""
    code = (
        "import os, numba.core.caching as c\nfrom pipeline.base import caches\n"
        "for name, one in list(vars(c).items()):\n"
        "    if 'InTree' in name:\n"
        "        one.from_function = classmethod(lambda *_: None)\n"
        "caches.provide()\nimport iitcore\nprint(os.environ['XDG_CACHE_HOME'])"
    )
    held = {name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**held, "HOME": "/proc/nobody", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith(str(tmp_path)), done.stderr
