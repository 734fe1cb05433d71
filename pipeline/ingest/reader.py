"""What a format of recordings has to say of itself and to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pipeline.base.registry import Entry

if TYPE_CHECKING:
    import xarray as xr


class Reader(Entry, Protocol):
    """A format of recordings.

    Attributes:
        suffixes: endings of its files, in lower case, with the dot.
        columns: optional columns of the sheet of recordings that it heeds.
        files: columns that hold paths, `path` included where it needs one.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ()
    files: ClassVar[tuple[str, ...]] = ()

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of one row of the sheet.

        Args:
            row: recording, subject, format, and the columns that the reader heeds; paths are absolute.

        Raises:
            PhiscaleError: the file or what it holds cannot be used; `open_recording` adds the recording's name.
        """

    def sentence(self, section: Mapping[str, Any]) -> str:
        """Return `methods` filled in.

        Args:
            section: fields of the study's section `simulate`.
        """
        return self.methods.format(**section)
