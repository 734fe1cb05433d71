from .contrasts import compare as compare
from .summary import summarise as summarise

__all__ = ["compare", "summarise"]
