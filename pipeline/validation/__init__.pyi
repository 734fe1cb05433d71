from .truth import hold_against_truth as hold_against_truth

__all__ = ["hold_against_truth"]
