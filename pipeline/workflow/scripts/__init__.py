"""Scripts of the workflow: each opens its inputs, calls one stage and writes the result."""
