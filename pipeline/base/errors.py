"""Faults of a user's input: collected, told together, each with its consequence and its fix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

MANY = 6  # problems of one kind that are told as one


@dataclass(frozen=True)
class Problem:
    """One fault, told as a paragraph.

    >>> print(Problem("tpm.lag", "is 0", "No transition could be counted", "use 1"))
    tpm.lag: is 0. No transition could be counted. Fix: use 1.

    Attributes:
        where: the field, file, line or recording.
        what: what is wrong with it.
        consequence: what it would do to the result.
        fix: how to mend it.
        about: the recording concerned, "RECORDING/windows", or "*" for all; what follows from the fault is then not
            told again.
    """

    where: str
    what: str
    consequence: str = ""
    fix: str = ""
    about: str = ""

    def __str__(self) -> str:
        """Read as one paragraph."""
        parts = [f"{self.where}: {self.what}."]
        if self.consequence:
            parts.append(f"{self.consequence}.")
        if self.fix:
            parts.append(f"Fix: {self.fix}" + ("" if self.fix.endswith("?") else "."))
        return " ".join(part[:-1] if part.endswith("..") else part for part in parts)


class PhiscaleError(Exception):
    """A mistake in the input that a person can mend; carries every problem that was found.

    Commands print its text and exit with status 1; nobody sees a traceback for it.

    Args:
        problems: what is wrong; kept as the attribute of that name.
    """

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(problems)
        told = told_once(problems)
        super().__init__("\n".join(f"- {p}" for p in told) if len(told) > 1 else str(told[0]))


@dataclass
class Problems:
    """Collects problems so that they can be reported in one go."""

    found: list[Problem] = field(default_factory=list)

    def add(self, where: str, what: str, consequence: str = "", fix: str = "", about: str = "") -> None:
        """Note one problem; the arguments are the fields of a `Problem`.

        Args:
            where: the field, file, line or recording.
            what: what is wrong with it.
            consequence: what it would do to the result.
            fix: how to mend it.
            about: the recording concerned; see `Problem`.
        """
        self.found.append(Problem(where, what, consequence, fix, about))

    def raise_if_any(self) -> None:
        """Return if nothing was found.

        Raises:
            PhiscaleError: with all that was found.
        """
        if self.found:
            raise PhiscaleError(*self.found)


def told_once(problems: Sequence[Problem | str]) -> list[Problem | str]:
    """Return the problems, many of one kind as one, with their number and where the others are.

    Args:
        problems: in their order; of one kind are those that differ in names and numbers only.

    >>> many = [Problem(f"recording 'r', neuron n{i}", "is constant", fix="remove it") for i in range(47)]
    >>> print(*told_once(many))
    recording 'r', neuron n0: is constant (and 46 more like it: neuron n1, neuron n2, neuron n3, ...). Fix: remove it.
    """
    kinds: dict[str, list[Problem | str]] = {}
    for problem in problems:
        kinds.setdefault(_pattern(str(problem)), []).append(problem)
    told: list[Problem | str] = []
    for alike in kinds.values():
        first, others = alike[0], [problem.where for problem in alike[1:] if isinstance(problem, Problem)]
        if len(others) < MANY - 1 or isinstance(first, str):
            told += alike
        else:
            told.append(replace(first, what=f"{first.what} {_and_more(first.where, others)}"))
    return told


def notes_once(notes: Sequence[str]) -> list[str]:
    """Return notes, many of one kind as one, with their number.

    Args:
        notes: in their order; what they are about stands before the first colon.

    >>> notes_once([f"recording 'm{i}': 4 frames" for i in range(7)])
    ["recording 'm0': 4 frames (and 6 more like it: recording 'm1', recording 'm2', recording 'm3', ...)"]
    """
    kinds: dict[str, list[str]] = {}
    for note in notes:
        kinds.setdefault(_pattern(note), []).append(note)
    told = []
    for alike in kinds.values():
        places = [note.split(": ")[0] for note in alike]
        told += alike if len(alike) < MANY else [f"{alike[0]} {_and_more(places[0], places[1:])}"]
    return told


def _pattern(text: str) -> str:
    """Return a text without its names and numbers."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\b\w*\d[\w.]*\b", "#", text)


def _and_more(first: str, others: Sequence[str]) -> str:
    """Say how many others there are and name some, without the words that they share with the first."""
    head = first.rsplit(", ", 1)[0] + ", " if ", " in first else ""
    shown = [other.removeprefix(head) for other in dict.fromkeys(others)]
    return f"(and {len(others)} more like it: {', '.join(shown[:3])}{', ...' if len(shown) > 3 else ''})"


def unusable(error: OSError) -> Problem:
    """Return what the operating system refused (a file that may not be read, a full disk) as a problem."""
    return Problem(
        str(error.filename or "a file"),
        f"cannot be used ({error.strerror or error})",
        "The command cannot go on without it",
        "check the path, the permissions and the space on the disk",
    )
