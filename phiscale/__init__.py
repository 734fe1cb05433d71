"""Integrated information across scales and states of consciousness, from calcium imaging.

The names that a notebook needs, imported on first use: results of a study read back, the stages of the workflow as
functions, and the exact engine. Two packages stand behind them: `pipeline` (files to report) and `iitcore` (theory).

>>> import phiscale
>>> pair = phiscale.Substrate.logistic([[0.1, 0.9], [0.9, 0.1]], k=4.0)
>>> round(phiscale.system_phi(pair.system("11")).phi, 2)
1.75
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
