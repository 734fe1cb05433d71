"""Estimates held against what is known to be true."""
