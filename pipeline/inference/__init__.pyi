from .contrasts import compare as compare
from .subjects import subject_values as subject_values
from .summary import summarise as summarise

__all__ = ["compare", "subject_values", "summarise"]
