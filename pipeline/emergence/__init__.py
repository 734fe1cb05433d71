"""Measures of a TPM as a whole: effective information, causal power, emergent complexity."""
