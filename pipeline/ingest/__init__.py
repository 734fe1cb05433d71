"""Readers of recordings: a registry of formats, each of which gives a Recording dataset."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
