"""The report: one self-contained page and its figures, from the files of a finished (or half-finished) study."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
