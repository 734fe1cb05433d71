"""What the report says: the answer, what the numbers cannot say, the glossary."""
