"""The documentation says what there is: messages, names, versions, figures."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import phiscale

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def texts_of(package: str) -> str:
    """All text in the code of a package, with … where values stand."""
    found = []
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.append("".join(v.value if isinstance(v, ast.Constant) else "…" for v in node.values))
    return "\n".join(found)


CODE = texts_of("pipeline")


def messages() -> list[str]:
    rows = re.findall(r"^\| (`[^|]*) \|", (DOCS / "troubleshooting.md").read_text(), flags=re.MULTILINE)
    return [message for row in rows for message in re.findall(r"`([^`]*)`", row)]


def test_troubleshooting_has_many_messages() -> None:
    assert len(messages()) > 40


@pytest.mark.parametrize("message", messages())
def test_messages_of_the_troubleshooting_page_are_those_of_the_code(message: str) -> None:
    pattern = "[^\n]*".join(re.escape(part) for part in message.split("…"))
    assert re.search(pattern, CODE), "no message reads like this any more"


@pytest.mark.parametrize("name", sorted(set(phiscale.__all__) - {"__version__", "SubstrateError"}))
def test_every_name_of_the_package_is_in_the_reference(name: str) -> None:
    assert re.search(rf"^   {name}$", (DOCS / "api" / "phiscale.md").read_text(), flags=re.MULTILINE)


def test_what_is_cited_is_this_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    about = json.loads((ROOT / "codemeta.json").read_text())
    for version, licence in ((cited["version"], cited["license"]), (about["version"], about["license"].split("/")[-1])):
        assert (version, licence) == (PROJECT["version"], PROJECT["license"])


def test_every_page_is_in_the_contents() -> None:
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    listed = {"index"}
    for path in DOCS.rglob("*.md"):
        for toc in re.findall(r"```\{toctree\}\n(.*?)```", path.read_text(), flags=re.DOTALL):
            folder = path.parent.relative_to(DOCS)
            lines = [line for line in toc.splitlines() if line and not line.startswith(":")]
            listed |= {(folder / re.sub(r".*<(.*)>", r"\1", line)).as_posix() for line in lines}
    assert pages <= listed
