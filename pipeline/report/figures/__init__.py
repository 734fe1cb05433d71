"""What the report draws, from the tables and datasets of the results."""
