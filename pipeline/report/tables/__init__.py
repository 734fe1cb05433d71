"""What the report lists: tables whose numbers are already written out."""
