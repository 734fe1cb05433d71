from .states import binarize as binarize
from .states import binarize_windows as binarize_windows

__all__ = ["binarize", "binarize_windows"]
