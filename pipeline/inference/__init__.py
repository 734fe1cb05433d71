"""From windows to subjects and conditions: summary of each window, contrasts of conditions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
