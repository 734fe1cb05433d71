from .opening import READERS as READERS
from .opening import open_recording as open_recording
from .registry import Reader as Reader
from .registry import register as register

__all__ = ["READERS", "Reader", "open_recording", "register"]
