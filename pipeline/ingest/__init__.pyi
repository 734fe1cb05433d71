from .opening import open_recording as open_recording
from .registry import READERS as READERS
from .registry import Reader as Reader
from .registry import file_columns as file_columns
from .registry import option_columns as option_columns

__all__ = ["READERS", "Reader", "file_columns", "open_recording", "option_columns"]
