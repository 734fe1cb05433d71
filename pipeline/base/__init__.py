"""What every room builds on: faults of the input, seeds, files, history, the Recording, rasters of states."""
