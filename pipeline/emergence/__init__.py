"""Measures of dynamics as a whole: effective information, causal power, closure, emergent complexity."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
