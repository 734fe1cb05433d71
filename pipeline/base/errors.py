"""Faults of a user's input: collected, told together, each with its consequence and its fix."""

from __future__ import annotations

from dataclasses import dataclass, field


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
        super().__init__("\n".join(f"- {p}" for p in problems) if len(problems) > 1 else str(problems[0]))


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


def unusable(error: OSError) -> Problem:
    """Return what the operating system refused (a file that may not be read, a full disk) as a problem."""
    return Problem(
        str(error.filename or "a file"),
        f"cannot be used ({error.strerror or error})",
        "The command cannot go on without it",
        "check the path, the permissions and the space on the disk",
    )
