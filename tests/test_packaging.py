"""An installed copy has everything that the packages read or promise: files that are no modules are declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, SETUP = PYPROJECT["project"], PYPROJECT["tool"]["setuptools"]
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


@pytest.mark.parametrize("study", sorted((ROOT / "config" / "examples").iterdir()), ids=lambda path: path.name)
def test_example_studies_are_installed(study: Path) -> None:
    files = SETUP["data-files"][f"share/phiscale/config/examples/{study.name}"]
    assert {path for pattern in files for path in ROOT.glob(pattern)} == set(study.iterdir())


def test_what_the_packages_import_is_declared() -> None:
    """Imports at the top of a module; what is imported in a function may be of an extra."""
    known = {"sklearn": "scikit-learn", "yaml": "pyyaml", "markupsafe": "jinja2", "pydantic_core": "pydantic"}
    declared = {re.split(r"[>=\[]", name)[0] for name in PROJECT["dependencies"]}
    own = {"iitcore", "phiscale", "pipeline"}
    missing = set()
    for package in own:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.parse(path.read_text()).body:
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
                tops = {name.split(".")[0] for name in names} - own - set(sys.stdlib_module_names)
                missing |= {(top, path.name) for top in tops if known.get(top, top.replace("_", "-")) not in declared}
    assert missing == set()


def test_links_of_the_readme_work_where_the_package_is_shown() -> None:
    """A package index shows the README by itself: its links are absolute, and name files that there are."""
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    source, docs = PROJECT["urls"]["Source"], PROJECT["urls"]["Documentation"]
    for link in links:
        page, _, _ = link.partition("#")
        if page.startswith(source):
            assert (ROOT / page.removeprefix(source)).exists(), link
        else:
            assert page.startswith(docs), link
            assert (ROOT / "docs" / page.removeprefix(docs)).with_suffix(".md").exists(), link
