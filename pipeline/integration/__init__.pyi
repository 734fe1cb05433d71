from .observed import integrate as integrate
from .surrogates import integrate_nulls as integrate_nulls

__all__ = ["integrate", "integrate_nulls"]
