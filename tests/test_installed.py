"""What a stranger does: the wheel in an environment of its own, and the tutorial in a fresh clone, as it is written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


def done(command: list[str] | str, folder: Path, **environment: str) -> str:
    """Run a command away from this checkout and return what it printed."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ran = subprocess.run(
        command, cwd=folder, env=kept | environment, shell=isinstance(command, str), text=True, capture_output=True
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout


def environment(folder: Path) -> Path:
    """A new environment that finds the libraries of this one (but not phiscale); its python."""
    done([sys.executable, "-m", "venv", str(folder)], folder.parent)
    python = folder / "bin" / "python"
    site = done([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip()
    (Path(site) / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return python


def clone(folder: Path) -> Path:
    """What is committed, and what is not yet."""
    done(["git", "clone", "--quiet", str(ROOT), str(folder)], folder.parent)
    changed = done(["git", "-C", str(ROOT), "diff", "--binary", "HEAD"], folder)
    if changed:
        (folder.parent / "changes").write_text(changed)
        done(["git", "apply", "../changes"], folder)
    return folder


def compiled(folder: Path) -> None:
    """Give a copy of the packages what this checkout has compiled, minutes' work; `make demo` does it from nothing.

    The compiler takes what it finds where a source has the time of change that it had then.
    """
    for package in ("iitcore", "pipeline"):
        for source in (ROOT / package).rglob("*.py"):
            copy = folder / source.relative_to(ROOT)
            if copy.read_bytes() == source.read_bytes():
                when = source.stat()
                os.utime(copy, ns=(when.st_atime_ns, when.st_mtime_ns))
        for made in (ROOT / package).rglob("__pycache__/*.nb[ic]"):
            copy = folder / made.relative_to(ROOT)
            copy.parent.mkdir(exist_ok=True)
            shutil.copy2(made, copy)


def test_the_wheel_runs_the_demo_outside_the_clone(tmp_path: Path) -> None:
    source, away = clone(tmp_path / "source"), tmp_path / "away"
    away.mkdir()
    python = environment(tmp_path / "env")
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done([*pip, "wheel", "--no-deps", "-w", str(tmp_path), str(source)], away)
    wheel = next(tmp_path.glob("phiscale-*.whl"))
    done([*pip, "install", str(wheel)], away)  # with what it requires: all of it is there
    where = done([str(python), "-c", "import iitcore, phiscale, pipeline; print(phiscale.__path__[0])"], away)
    assert Path(where.strip()).is_relative_to(tmp_path / "env")
    compiled(Path(where.strip()).parent)
    assert (tmp_path / "env/share/phiscale/config/examples/accepted-grain/study.yaml").is_file()
    phiscale = str(tmp_path / "env" / "bin" / "phiscale")
    said = done([phiscale, "demo", "-c", "2"], away, MPLBACKEND="Agg")
    report = away / "results" / "demo" / "report.html"
    assert report.is_file()
    assert "report.html" in said
    code = "import phiscale; print(len(phiscale.load_results('results/demo').phi_values()))"
    assert int(done([str(python), "-c", code], away)) > 100


def commands() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / "docs" / "start.md").read_text(), re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_the_tutorial_runs_as_written_in_a_fresh_clone(tmp_path: Path) -> None:
    folder = clone(tmp_path / "phiscale")
    environment(folder / ".venv")
    compiled(folder)
    said = {command: done(command, folder, MPLBACKEND="Agg") for command in commands()}
    assert "no problem found" in said[".venv/bin/phiscale check first"]
    assert "report.html" in said[".venv/bin/phiscale run first -c 2"]
    assert said["head -n 3 results/simulated/summary.csv"].count("\n") == 3
    assert (folder / "results/simulated/report.html").is_file()
    assert (folder / "mine/study.yaml").is_file()
