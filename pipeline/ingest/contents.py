"""What lies in a file, as far as it can be told without reading the traces."""

from __future__ import annotations

from dataclasses import dataclass, field

ASK = "?"  # stands in a cell of the sheet that only its author can fill in


@dataclass(frozen=True)
class Epoch:
    """A stretch that a file gives a name.

    Attributes:
        condition: the name, as the file has it.
        start_s: where it begins on the recording's clock [s].
        end_s: where it ends [s].
    """

    condition: str
    start_s: float
    end_s: float


@dataclass
class Contents:
    """What lies in a file.

    Attributes:
        holds: name and shape (or value) of what it holds.
        choices: columns of the sheet that would use it; several where somebody has to choose. `ASK` stands for what
            the file does not know.
        states: columns of the sheet that would take state codes from it, one for each vector that may hold them.
        epochs: named stretches, by the table that they stand in.
        subject: that the file names.
        remarks: what there is to know besides.
        no_study: why no study can be made of it; empty where one can.
    """

    holds: list[tuple[str, str]] = field(default_factory=list)
    choices: list[dict[str, str]] = field(default_factory=list)
    states: list[dict[str, str]] = field(default_factory=list)
    epochs: dict[str, list[Epoch]] = field(default_factory=dict)
    subject: str = ""
    remarks: list[str] = field(default_factory=list)
    no_study: str = ""
