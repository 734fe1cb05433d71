"""The commands of `phiscale`."""
