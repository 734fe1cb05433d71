"""What a format of recordings has to say of itself and to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pipeline.base.registry import Entry
from pipeline.ingest.contents import Contents

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.ingest.assembling import Streamed


class Reader(Entry, Protocol):
    """A format of recordings.

    Attributes:
        suffixes: endings of its files, in lower case, with the dot.
        columns: optional columns of the sheet of recordings that it heeds.
        files: columns that hold paths, `path` included where it needs one.
        apart: its files are opened in another process first (see `apart`): what reads them may not survive them.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ()
    files: ClassVar[tuple[str, ...]] = ()
    apart: ClassVar[bool] = False

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of one row of the sheet.

        Args:
            row: recording, subject, format, and the columns that the reader heeds; paths are absolute.

        Raises:
            PhiscaleError: the file or what it holds cannot be used; `open_recording` adds the recording's name.
        """

    def streamed(self, row: Mapping[str, Any], least: int) -> Streamed | None:
        """Return a large recording as what is read some frames at a time; None where it is to be read as a whole.

        Args:
            row: as for `read`; raises as `read`.
            least: values (frames × neurons) of a large one.
        """
        return None

    def recordings(self, path: Path) -> list[Path]:
        """Return what of a file or folder this format reads, one path per recording; empty where it is none of its."""
        return [path] if path.is_file() and path.suffix.lower() in self.suffixes else []

    def look(self, path: Path) -> Contents:
        """Return what a file holds and the columns of the sheet that would use it, without reading the traces.

        Args:
            path: one of those that `recordings` returns.

        Raises:
            PhiscaleError: it cannot be opened.
        """
        return Contents()
