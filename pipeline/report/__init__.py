"""The report: one self-contained page and its figures, from the files of a finished (or half-finished) study."""

from pipeline.report.page import build

__all__ = ["build"]
