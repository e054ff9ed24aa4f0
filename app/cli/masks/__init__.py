"""Commands that make, refine and score masks."""
