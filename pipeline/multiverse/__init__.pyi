from .curve import curve_test as curve_test

__all__ = ["curve_test"]
