"""Integrated information theory 4.0: exact phi_s, complexes, distinctions, relations, macro units."""
