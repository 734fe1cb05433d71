"""The same question over a grid of defensible choices: what may vary, and what all specifications say together."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
