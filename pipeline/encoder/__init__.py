"""Learned coarse-grainings. Importing this package imports torch, which takes seconds."""

from pipeline.encoder.grouping import learn_grouping
from pipeline.groupings import Grouping

__all__ = ["Grouping", "learn_grouping"]
