"""The workflow keeps to the style of its field: formatted, linted, and complete rules."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MULTIVERSE = ROOT / "Snakefile.multiverse"
RULES = sorted((ROOT / "pipeline" / "workflow" / "rules").glob("*.smk"))


def test_snakefmt_has_nothing_to_change() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "snakefmt", "--check", *map(str, (ROOT / "Snakefile", MULTIVERSE, *RULES))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_snakemake_lint_finds_nothing(tmp_path: Path) -> None:
    """Nothing: rules hand their jobs to the stages, functions of this very package, in one line each."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(ROOT / "Snakefile"),
            "--lint",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    found = {line.strip() for line in done.stderr.splitlines() if line.startswith("    * ")}
    assert found == set(), done.stderr
    assert "Congratulations" in done.stdout + done.stderr


def test_there_are_rules() -> None:
    assert len(RULES) > 5


@pytest.mark.parametrize("path", [*RULES, MULTIVERSE], ids=lambda path: path.stem)
def test_every_rule_states_what_it_needs(path: Path) -> None:
    rules = [rule for rule in path.read_text().split("\nrule ")[1:] if not rule.startswith("all:")]
    assert rules
    for rule in rules:
        for part in (
            "output:",
            "log:",
            "threads:",
            "mem_mb=",
            "runtime=",
            "message:",
            "run:",
        ):
            assert part in rule, f"rule {rule.split(':')[0]} in {path.name} lacks {part}"
