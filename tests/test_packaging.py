"""An installed copy has everything that the packages read or promise: files that are no modules are declared."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
MADE = {".pyc", ".nbi", ".nbc"}  # by running


@pytest.mark.parametrize("package", ["iitcore", "phiscale", "pipeline"])
def test_files_that_are_no_modules_go_into_the_wheel(package: str) -> None:
    top = ROOT / package
    others = {path for path in top.rglob("*") if path.is_file() and path.suffix not in {".py", *MADE}}
    declared = {path for pattern in SETUP["package-data"].get(package, []) for path in top.glob(pattern)}
    declared |= {path for pattern in SETUP["package-data"]["*"] for path in top.rglob(pattern)}
    assert top / "py.typed" in others, "type checkers would take the package for untyped"
    assert others <= declared


@pytest.mark.parametrize("package", ["iitcore", "phiscale", "pipeline"])
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert all((folder / "__init__.py").exists() for folder in folders), "setuptools leaves out the others"


def test_the_workflow_lies_where_the_command_looks_for_it() -> None:
    for folder, patterns in SETUP["data-files"].items():
        for pattern in patterns:
            assert list(ROOT.glob(pattern)), f"{folder}: nothing matches {pattern}"
