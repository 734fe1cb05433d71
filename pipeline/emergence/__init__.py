"""Causal emergence: how much a system's present settles its next state, scale by scale."""
