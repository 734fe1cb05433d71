"""A shell completes what the command line takes: bash is asked itself, zsh and fish where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.cli import main


def completed(script: Path, *line: str) -> list[str]:
    """What bash offers for the last word of a line."""
    words = " ".join(f"'{word}'" for word in ("phiscale", *line))
    ask = f"source {script}; COMP_WORDS=({words}); COMP_CWORD={len(line)}; _phiscale; printf '%s\\n' ${{COMPREPLY[@]}}"
    return subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", "bash"]) == 0
    path = tmp_path / "completion"
    path.write_text(capsys.readouterr().out)
    return path


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (["in"], ["init", "inspect"]),
        (["run", "study", "--an"], ["--anyway"]),
        (["check", "--j"], ["--json"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["run", "--cores", "-"], []),
        (["run", "--only", ""], []),
    ],
)
def test_bash_completes(script: Path, line: list[str], offered: list[str]) -> None:
    assert completed(script, *line) == offered


def test_every_command_is_offered(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["--help"])
    said = capsys.readouterr().out
    names = completed(script, "")
    assert len(names) > 8
    assert all(f"\n    {name}" in said for name in names)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_the_shell(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", shell])
    path = tmp_path / "completion"
    path.write_text(capsys.readouterr().out)
    assert "phiscale" in path.read_text()
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", str(path)], check=True)
