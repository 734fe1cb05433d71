"""Paths of a study: patterns and paths agree, every file has a place of its own, groups come back as their system."""

import ast
import re
from pathlib import Path

import pytest

import pipeline
from pipeline.results.layout import OF_RECORDING, OF_SHARING, OF_STUDY, Layout, SystemKey, tpm_file

PACKAGE = Path(pipeline.__file__).parent
DOCUMENT = PACKAGE.parent / "docs" / "results.md"
OWNERS = {"results/layout.py", "simulation/recordings.py"}  # the second writes a study's data


@pytest.mark.parametrize("name", OF_RECORDING)
def test_a_pattern_filled_in_is_the_path(name):
    layout = Layout("results/s")
    assert str(layout.of(name)).format(recording="007", k=4) == str(layout.of(name, "007", 4))
    assert str(layout.of(name, k=4)).format(recording="007") == str(layout.of(name, "007", 4))


def test_no_two_files_share_a_path():
    layout = Layout("s")
    paths = [layout.of(name, "007", 4) for name in OF_RECORDING] + [layout.of_study(name) for name in OF_STUDY]
    paths += [layout.parquet(name) for name in ("summary", "nulls", "comparison", "truth")]
    paths += [layout.shared("units", "007", 4), layout.shared("macro", "007"), layout.log("shared_units", "007", 4)]
    paths += [layout.log("tpm", "007"), layout.log("ensembles", "007", 4), layout.study_log("tpm")]
    paths += [layout.note("tpm", "007"), layout.note("tpm", "007", "a"), layout.note("tpm", "007", "a", "micro-4")]
    assert len(set(paths)) == len(paths)


def test_the_documentation_lists_every_file():
    listed = DOCUMENT.read_text(encoding="utf-8").partition("<!--")[0]
    for path in (*OF_STUDY.values(), *OF_RECORDING.values()):
        assert f"`{path.format(recording='R', k='K')}" in listed, path
    assert all(f"`{path.format(name='S', k='K')}" in listed for path in OF_SHARING.values())


def test_groups_name_window_and_system():
    for key in (SystemKey("007", "awake", "micro", 4), SystemKey("m1", "NA", "macro_units", 2)):
        assert SystemKey.of_group(key.recording, key.group) == key
    assert (tpm_file("micro"), tpm_file("macro_units")) == ("tpm", "macro")


def test_logs_and_notes_are_found_again(tmp_path):
    layout = Layout(tmp_path)
    assert layout.logs() == layout.notes() == []
    wanted = [layout.log("tpm", "007"), layout.study_log("report"), layout.note("tpm", "007")]
    for path in wanted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "failed" / ".tpm--007.json.1.partial.json").write_text("")  # on its way
    assert sorted([*layout.logs(), *layout.notes()]) == sorted(wanted)


def test_nobody_else_writes_a_path_below_the_results():
    """No text outside the layout looks like the path of one of its files."""
    folders = {pattern.partition("/")[0] for pattern in OF_RECORDING.values()} | {"logs", "failed"}
    files = set(OF_STUDY.values()) - {"figures"}  # a word like any other
    path_like = re.compile(rf"^/?({'|'.join(folders)})/[^ ]*$|\.truth\.json$|^/?({'|'.join(files)})$")
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).as_posix() in OWNERS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and path_like.search(node.value):
                found.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value}")
    for path in PACKAGE.rglob("*.smk"):
        found += [
            f"{path.name}: {text}" for text in re.findall(r'"([^"\n]*)"', path.read_text()) if path_like.search(text)
        ]
    assert "\n".join(found) == ""
