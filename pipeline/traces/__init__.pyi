from .ensembles import group as group
from .preprocess import preprocess as preprocess

__all__ = ["group", "preprocess"]
