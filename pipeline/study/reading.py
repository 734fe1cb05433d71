"""Reading study.yaml into the model of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.base.errors import Problems
from pipeline.base.files import is_file
from pipeline.study.messages import explain
from pipeline.study.parameters import Parameters

LARGEST = 2**20  # bytes


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """YAML in which a name that is given twice is a fault; the standard takes the last one and says nothing."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value!r} is given twice in one place", key.start_mark
                    )
                seen.add(key.value)
        return dict(super().construct_mapping(node, deep))


def read_parameters(path: Path, problems: Problems) -> Parameters | None:
    """Return the parameters of a study, or None (and the reasons among the problems).

    Args:
        path: study.yaml.
        problems: where every fault is noted.
    """
    content = _content(path, problems)
    if content is None:
        return None
    try:
        return Parameters.model_validate(content)
    except ValidationError as error:
        problems.found.extend(explain(str(path), error, Parameters))
        return None


def _content(path: Path, problems: Problems) -> dict[Any, Any] | None:
    if not is_file(path):
        fix = "name a study.yaml, or write a template with: phiscale init DIR"
        problems.add(str(path), "there is no such file", "There is no study to run", fix)
        return None
    if path.stat().st_size > LARGEST:
        problems.add(
            str(path), f"has more than {LARGEST} bytes", "No study has so many parameters", "name a study.yaml"
        )
        return None
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        fix = "mend that line (indentation, a missing colon or quote)"
        problems.add(place, f"is not valid YAML ({_said(error)})", "No parameter can be read", fix)
        return None
    if not isinstance(content, dict):
        fix = "start from a template: phiscale init DIR"
        problems.add(str(path), "does not hold fields (name: value)", "No parameter can be read", fix)
        return None
    return content


def _said(error: Exception) -> str:
    """Return what YAML says of a text that is none, in one line."""
    if isinstance(error, RecursionError):
        return "too many brackets in one another"
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or error
    return " ".join(str(said).split())
