"""From calcium-imaging recordings to integrated information across scales and states."""
