"""What the jobs do: each module opens the inputs of its stage, calls it and writes the result."""
