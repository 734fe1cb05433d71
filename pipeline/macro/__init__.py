"""Macro units: groupings of units, learned or searched, and whether they are units."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
