"""The ways to decide between ON and OFF that a study can choose from."""

from __future__ import annotations

from pipeline.base.registry import Registry
from pipeline.binarize.binarizer import Binarizer
from pipeline.binarize.events import Events
from pipeline.binarize.hmm import Hmm
from pipeline.binarize.median import Median
from pipeline.binarize.otsu import Otsu
from pipeline.binarize.quantile import Quantile
from pipeline.binarize.zscore import Zscore

__all__ = ["BINARIZERS", "Binarizer"]

BINARIZERS: Registry[Binarizer] = Registry(
    "binarizer", "binarize.method", Quantile(), Median(), Zscore(), Otsu(), Hmm(), Events()
)
