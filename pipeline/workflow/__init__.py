"""How a study runs: its targets, its jobs, and what becomes of failures."""
