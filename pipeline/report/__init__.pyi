from .page import build as build

__all__ = ["build"]
