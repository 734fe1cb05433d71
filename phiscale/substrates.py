"""From states to phi: TPMs, macro units, integrated information, surrogates."""

from pipeline.integration import integrate
from pipeline.macro import coarse_grain
from pipeline.nulls import surrogates
from pipeline.tpm import estimate

__all__ = ["coarse_grain", "estimate", "integrate", "surrogates"]
